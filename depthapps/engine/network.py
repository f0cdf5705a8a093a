"""A stereo network of the user's own, run through cv2.dnn."""

from __future__ import annotations

import dataclasses
import logging
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import NetworkError
from depthapps.core.scene import FloatMap, Image

log = logging.getLogger(__name__)

_CHOICES = {
    "layout": ("two", "four", "stacked"),
    "color": ("rgb", "bgr", "grey"),
    "fit": ("pad", "stretch", "tile"),
    "sign": (1, -1),
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
}
# Share of a network's answers that must lie in the range of the pair's own matches, widened by a tenth on both sides. A
# wrong sign, scale or channel leaves next to none there.
_BELIEVED_SHARE = 0.5


@dataclass(frozen=True)
class NetworkDescription:
    """What an ONNX stereo network wants and gives: the keys of the FILE.json beside FILE.onnx.

    layout: "two" views as two inputs; "four", both at half size first, then both; "stacked" as channels of one input.
    inputs: the inputs' names, left before right. output: the output's name, "" for the only one.
    color, scale, mean, std: samples of 0..255 are multiplied by scale, then (x − mean) / std for each channel.
    channel, sign: where in the output the disparity is, and −1 if it is negative for near things.
    size: [width, height] of a network of fixed size, null for any; multiple: of which both have to be multiples.
    fit: how a picture comes to that size: "pad" at its right and bottom, "stretch", or "tile" with overlapping pieces.
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

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> NetworkDescription:
        """The description in a JSON object; NetworkError says which key is wrong and what it may be."""
        known = [f.name for f in dataclasses.fields(cls)]
        for key in entries:
            if key not in known:
                raise NetworkError(
                    f"the description has an unknown key {key!r}", hint=f"it may have {', '.join(known)}"
                )
        if "inputs" not in entries:
            raise NetworkError(
                "the description names no inputs", hint='add "inputs": ["left", "right"], as it calls them'
            )
        for key, value in entries.items():
            if not isinstance(value, _KINDS[key]) or isinstance(value, bool):
                raise NetworkError(f"the description's {key} is {value!r}", hint="samples/README.md has examples")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()}
        return cls(**values)

    def __post_init__(self) -> None:
        """Refuse a description that contradicts itself."""
        for key, allowed in _CHOICES.items():
            value = getattr(self, key)
            if value not in allowed:
                choices = ", ".join(repr(a) for a in allowed)
                raise NetworkError(f"the description's {key} is {value!r}", hint=f"it may be {choices}")
        wanted = {"two": 2, "four": 4, "stacked": 1}[self.layout]
        if len(self.inputs) != wanted or not all(isinstance(name, str) for name in self.inputs):
            raise NetworkError(
                f"the description names {len(self.inputs)} inputs, the layout {self.layout!r} has {wanted}",
                hint="name the inputs in their order, as the network calls them",
            )
        if self.multiple < 1 or self.channel < 0 or 0 in self.std:
            raise NetworkError(
                "the description's multiple, channel or std cannot be", hint="multiple >= 1, channel >= 0, std not 0"
            )
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise NetworkError(f"the description's size is {self.size}", hint="it is [width, height] in pixels")
        if self.fit == "tile" and self.size is None:
            raise NetworkError("the description tiles without a size", hint='add "size": [width, height]')


class StereoNetwork:
    """An ONNX network with its description, ready to match pairs."""

    def __init__(self, model: bytes, description: NetworkDescription) -> None:
        self._description = description
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        except cv2.error as error:
            raise NetworkError(
                f"the network cannot be loaded: {_reason(error)}",
                hint="export it to ONNX for OpenCV's dnn, opset 11 to 17",
            ) from None

    def match(self, left: Image, right: Image, low: float, high: float) -> FloatMap:
        """Disparity (H, W) px of the left view of a pair (H, W, 3) uint8 RGB.

        low, high: the range of the pair's own matches in px, to size tiles and to notice a wrong description. Raises
        NetworkError when the network refuses its inputs or its answers lie elsewhere.
        """
        d = self._description
        height, width = left.shape[:2]
        if d.fit == "tile" and d.size is not None:
            disparity = self._tiled(left, right, high)
        else:
            net_width, net_height = d.size or (_up(width, d.multiple), _up(height, d.multiple))
            if d.fit == "pad" and (net_width < width or net_height < height):
                raise NetworkError(
                    f"the picture is {width}x{height}, too large to pad to the network's {net_width}x{net_height}",
                    hint='set "fit" to "stretch" or "tile"',
                )
            if d.fit == "pad":
                views = [_padded(view, net_width, net_height) for view in (left, right)]
                disparity = self._run(*views)[:height, :width]
            else:
                views = [cv2.resize(v, (net_width, net_height), interpolation=cv2.INTER_AREA) for v in (left, right)]
                stretched = np.asarray(cv2.resize(self._run(*views), (width, height), interpolation=cv2.INTER_LINEAR))
                disparity = stretched * np.float32(width / net_width)
        self._believe(disparity, low, high)
        return disparity

    def _tiled(self, left: Image, right: Image, high: float) -> FloatMap:
        """`match` in pieces of the network's size.

        A match lies up to `high` px to the left, so every piece overlaps the one before by that much, and what it says
        of that part is left out.
        """
        assert self._description.size is not None
        tile_width, tile_height = self._description.size
        height, width = left.shape[:2]
        left, right = (_padded(v, max(width, tile_width), max(height, tile_height)) for v in (left, right))
        overlap = max(0, math.ceil(high))
        if overlap > tile_width // 2:
            raise NetworkError(
                f"tiles of {tile_width} px are too narrow for disparities up to {high:.0f} px",
                hint='set "fit" to "stretch"',
            )
        out = np.empty(left.shape[:2], np.float32)
        for top in _starts(left.shape[0], tile_height, tile_height // 8):
            for start in _starts(left.shape[1], tile_width, overlap):
                piece = np.s_[top : top + tile_height, start : start + tile_width]
                skip_rows, skip = (tile_height // 16 if top else 0), (overlap if start else 0)
                found = self._run(left[piece], right[piece])
                out[top + skip_rows : top + tile_height, start + skip : start + tile_width] = found[skip_rows:, skip:]
        return out[:height, :width]

    def _run(self, left: Image, right: Image) -> FloatMap:
        """The network's disparity for views (h, w, 3) of a size it takes, in px of those views."""
        d = self._description
        height, width = left.shape[:2]
        views = [left, right]
        if d.layout == "four":
            half = (width // 2, height // 2)
            views = [cv2.resize(v, half, interpolation=cv2.INTER_AREA) for v in views] + views
        blobs = [self._blob(view) for view in views]
        if d.layout == "stacked":
            blobs = [np.concatenate(blobs, axis=1)]
        try:
            for name, blob in zip(d.inputs, blobs, strict=True):
                self._net.setInput(blob, name)
            answer = np.asarray(self._net.forward(d.output) if d.output else self._net.forward())
        except cv2.error as error:
            raise NetworkError(
                f"the network does not take the pair: {_reason(error)}",
                hint='check "inputs", "output", "layout", "color", "size" and "multiple" in its description',
            ) from None
        answer = answer.reshape(-1, *answer.shape[-2:])
        if d.channel >= len(answer) or answer.shape[1:] != (height, width):
            raise NetworkError(
                f"the network gives {len(answer)} maps of {answer.shape[2]}x{answer.shape[1]}, "
                f"channel {d.channel} of {width}x{height} was expected",
                hint='check "output", "channel", "size" and "fit" in its description',
            )
        return np.float32(d.sign) * answer[d.channel]

    def _blob(self, view: Image) -> NDArray[np.floating]:
        """(1, C, h, w) float32 as the network wants it."""
        d = self._description
        if d.color == "grey":
            view = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)[..., None]
        elif d.color == "bgr":
            view = view[..., ::-1]
        samples = (view.astype(np.float32) * np.float32(d.scale) - np.array(d.mean, np.float32)) / np.array(
            d.std, np.float32
        )
        return np.ascontiguousarray(samples.transpose(2, 0, 1)[None], np.float32)

    def _believe(self, disparity: FloatMap, low: float, high: float) -> None:
        margin = (high - low) / 10
        share = float(((disparity > low - margin) & (disparity < high + margin)).mean())
        log.info("the network's answers: %.0f %% in the range of the pair's matches", 100 * share)
        if share < _BELIEVED_SHARE:
            first, last = np.nanpercentile(disparity, (5, 95))
            raise NetworkError(
                f"the network's disparities run from {first:.1f} to {last:.1f} px, "
                f"the pair's matches from {low:.0f} to {high:.0f} px",
                hint='check "sign", "channel", "scale", "mean" and "std" in its description',
            )


def _reason(error: cv2.error) -> str:
    """The part of an OpenCV error that tells what is wrong, in one line."""
    return (error.err or str(error)).strip().splitlines()[0]


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _padded(view: Image, width: int, height: int) -> Image:
    bottom, right = height - view.shape[0], width - view.shape[1]
    return cv2.copyMakeBorder(view, 0, bottom, 0, right, cv2.BORDER_REPLICATE)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixels of tiles that cover 0..length and overlap by at least `overlap`; the last one ends with it."""
    return [*range(0, length - tile, tile - overlap), length - tile]
