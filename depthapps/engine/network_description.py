"""Describe an ONNX network that a user supplies: what goes in, what comes out, and what the numbers mean."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from depthapps.core.errors import NetworkError, brief

_CHOICES = {
    "layout": ("two", "four", "stacked"),
    "color": ("rgb", "bgr", "grey"),
    "fit": ("pad", "stretch", "tile"),
    "sign": (1, -1),
    "gives": ("disparity", "inverse", "affine", "metric"),
}
_KINDS = {
    "inputs": list,
    "output": str,
    "layout": str,
    "color": str,
    "scale": (int, float),
    "mean": list,
    "std": list,
    "channel": int,
    "sign": int,
    "size": (list, type(None)),
    "multiple": int,
    "fit": str,
    "gives": str,
    "short_side": (int, type(None)),
    "unit_m": (int, float),
    "canonical_focal_px": (int, float, type(None)),
}
_LAYOUTS = {"two": 2, "four": 4, "stacked": 1}  # with the number of inputs
# How far apart a network gets black and white: 255, 1, 2 or, with ImageNet's deviations, 4.4. If the scale is that of
# samples 0 to 1 and the deviation that of samples 0 to 255, or the other way round, they are 0.02 or 1100 apart.
_LARGEST_NUMBER = 1e9
_LARGEST_SIDE, _LARGEST_MULTIPLE = 16384, 4096  # pixels of a network's input; no network's strides multiply to more
_LEAST_SPAN, _MOST_SPAN = 0.2, 300.0


@dataclass(frozen=True)
class NetworkDescription:
    """Inputs and outputs of an ONNX network of two views or of one photo: the keys of the FILE.json beside FILE.onnx.

    gives: "disparity" of two views, in pixels; or what a network makes of one photo: "inverse", 1/Z of unknown scale
    and offset, larger where it is nearer; "affine", Z of unknown scale and offset; "metric", Z in `unit_m`.
    layout, of two views: "two": one input a view. "four": both views at half size, then both at full size. "stacked":
    one input with the channels of both views.
    inputs: the inputs' names, left before right.
    output: the output's name; "" if the network has only one.
    color: "rgb", "bgr" or "grey".
    scale, mean, std: a sample x of 0..255 becomes (x · scale − mean) / std, with one mean and std for each channel.
    channel: the output channel that holds the disparity or the depth.
    sign: −1 if the output is the negative of what `gives` says, else 1.
    size: [width, height] in pixels if the network has a fixed input size; null if it takes any.
    multiple: number of pixels that width and height must be multiples of.
    fit: how a picture is brought to the input size: "pad" at its right and bottom, "stretch", or overlapping "tile"s.
    One photo is first resized, with its proportions, to fit inside; it has no tiles.
    short_side, of one photo: the pixels that its shorter side is resized to, if the network takes any size; null leaves
    the photo as it is.
    unit_m, of "metric": metres a unit of the output.
    canonical_focal_px, of "metric": the depth is right for a camera of this focal length in pixels of the input, and in
    proportion for others; null if it is right for all.
    """

    inputs: tuple[str, ...]
    output: str = ""
    layout: str = "two"
    color: str = "rgb"
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channel: int = 0
    sign: int = 1
    size: tuple[int, int] | None = None
    multiple: int = 1
    fit: str = "pad"
    gives: str = "disparity"
    short_side: int | None = None
    unit_m: float = 1.0
    canonical_focal_px: float | None = None

    @property
    def of_one_photo(self) -> bool:
        """Whether the network takes one photo, and not two views."""
        return self.gives != "disparity"

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> NetworkDescription:
        """Read the description from a JSON object; NetworkError names a wrong key and its allowed values."""
        known = [f.name for f in dataclasses.fields(cls)]
        for key in entries:
            if key not in known:
                raise NetworkError(
                    f"the description has an unknown key {brief(key)}", hint=f"the known keys are {', '.join(known)}"
                )
        if "inputs" not in entries:
            raise NetworkError(
                "the description names no inputs",
                hint='add "inputs": ["left", "right"], or ["image"] of one photo: the names in the network',
            )
        for key, value in entries.items():
            if not isinstance(value, _KINDS[key]) or isinstance(value, bool):
                raise NetworkError(
                    f"the description's {key} is {brief(value)}, a value of the wrong type",
                    hint="samples/README.md has examples",
                )
        for key in ("mean", "std", "size"):
            if any(not isinstance(v, (int, float)) or isinstance(v, bool) for v in entries.get(key) or ()):
                raise NetworkError(
                    f"the description's {key} is {brief(entries[key])}, which is no list of numbers",
                    hint="samples/README.md has examples",
                )
        _refuse_extremes(entries)
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()}
        return cls(**values)

    def __post_init__(self) -> None:
        """Refuse a description that contradicts itself."""
        for key, allowed in _CHOICES.items():
            value = getattr(self, key)
            if value not in allowed:
                choices = ", ".join(repr(a) for a in allowed)
                raise NetworkError(f"the description's {key} is {brief(value)}", hint=f"it may be {choices}")
        wanted = 1 if self.of_one_photo else _LAYOUTS[self.layout]
        if not all(isinstance(name, str) for name in self.inputs):
            raise NetworkError(
                f"the description's inputs are {brief(list(self.inputs))}, which are no names",
                hint="name the inputs as the network calls them, in quotes",
            )
        if len(self.inputs) != wanted:
            what = f"a network that gives {self.gives!r}" if self.of_one_photo else f"the layout {self.layout!r}"
            raise NetworkError(
                f"the description names {len(self.inputs)} inputs, {what} has {wanted}",
                hint="name the inputs in their order, as the network calls them",
            )
        channels = 1 if self.color == "grey" else 3
        if not {len(self.mean), len(self.std)} <= {1, channels}:
            raise NetworkError(
                f"the description has {len(self.mean)} means and {len(self.std)} deviations, "
                f"{self.color!r} has {channels}",
                hint='give "mean" and "std" one number for each channel, or one for all',
            )
        if self.multiple < 1 or self.channel < 0 or 0 in self.std:
            raise NetworkError(
                "the description's multiple, channel or std cannot be used",
                hint="multiple >= 1, channel >= 0, std not 0",
            )
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise NetworkError(f"the description's size is {self.size}", hint="it is [width, height] in pixels")
        if self.fit == "tile" and self.size is None:
            raise NetworkError("the description tiles without a size", hint='add "size": [width, height]')
        if self.of_one_photo:
            self._check_one_photo()
        elif (self.short_side, self.unit_m, self.canonical_focal_px) != (None, 1.0, None):
            raise NetworkError(
                "the description has keys of a network of one photo, but it gives disparity",
                hint='add "gives": "inverse", "affine" or "metric"; or leave "short_side", "unit_m" and '
                '"canonical_focal_px" out',
            )

    def _check_one_photo(self) -> None:
        """Refuse what makes no sense, or is surely a mistake, in a network of one photo."""
        if self.fit == "tile" or self.layout != "two":
            raise NetworkError(
                "the description has tiles or a layout of views, but the network takes one photo",
                hint='leave "layout" out; "fit" may be "pad" or "stretch"',
            )
        if self.size is not None and self.short_side is not None:
            raise NetworkError(
                "the description has a fixed size and a shorter side", hint='leave "size" or "short_side" out'
            )
        numbers = self.short_side, self.unit_m, self.canonical_focal_px
        if any(number is not None and not 0 < number < math.inf for number in numbers):
            raise NetworkError(
                "the description's short_side, unit_m or canonical_focal_px cannot be used",
                hint="each is above 0",
            )
        if self.gives != "metric" and (self.unit_m, self.canonical_focal_px) != (1.0, None):
            raise NetworkError(
                f"the description has a unit or a focal length, but it gives {self.gives!r}, which has no metres",
                hint='leave "unit_m" and "canonical_focal_px" out, or set "gives" to "metric"',
            )
        span = 255 * abs(self.scale) / min(abs(deviation) for deviation in self.std)
        if not _LEAST_SPAN <= span <= _MOST_SPAN:
            raise NetworkError(
                f"by the description's scale and std, black and white are {span:.3g} apart in the network's input",
                hint="set scale to 1 if mean and std are of samples 0 to 255, to 0.00392157 if they are of 0 to 1",
            )


def _refuse_extremes(entries: dict[str, Any]) -> None:
    """Raise NetworkError for numbers that cannot be computed with: JSON's have no end."""
    for key, value in entries.items():
        numbers = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, (int, float))]
        largest = {"size": _LARGEST_SIDE, "short_side": _LARGEST_SIDE, "multiple": _LARGEST_MULTIPLE}
        whole = key not in largest or all(isinstance(v, int) for v in numbers)
        if not whole or not all(abs(v) <= largest.get(key, _LARGEST_NUMBER) for v in numbers):
            raise NetworkError(
                f"the description's {key} holds a number that cannot be used",
                hint=f"it may be {'a whole number ' if key in largest else ''}up to "
                f"{largest.get(key, _LARGEST_NUMBER):g}",
            )
