"""Run a stereo network that the user supplies as an ONNX file, through cv2.dnn."""

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
# Least share of a network's disparities inside the range of the pair's own matches, widened by a tenth on both sides.
# With a wrong sign, scale or channel almost none lie inside.
_BELIEVED_SHARE = 0.5


@dataclass(frozen=True)
class NetworkDescription:
    """Inputs and outputs of an ONNX stereo network: the keys of the FILE.json beside FILE.onnx.

    layout: "two": one input a view. "four": both views at half size, then both at full size. "stacked": one input with
    the channels of both views.
    inputs: the inputs' names, left before right.
    output: the output's name; "" if the network has only one.
    color: "rgb", "bgr" or "grey".
    scale, mean, std: a sample x of 0..255 becomes (x · scale − mean) / std, with one mean and std for each channel.
    channel: the output channel that holds the disparity.
    sign: −1 if near things have negative disparity in the output, else 1.
    size: [width, height] in pixels if the network has a fixed input size; null if it takes any.
    multiple: number of pixels that width and height must be multiples of.
    fit: how a picture is brought to the input size: "pad" at its right and bottom, "stretch", or overlapping "tile"s.
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
        """Read the description from a JSON object; NetworkError names a wrong key and its allowed values."""
        known = [f.name for f in dataclasses.fields(cls)]
        for key in entries:
            if key not in known:
                raise NetworkError(
                    f"the description has an unknown key {key!r}", hint=f"the known keys are {', '.join(known)}"
                )
        if "inputs" not in entries:
            raise NetworkError(
                "the description names no inputs", hint='add "inputs": ["left", "right"], the names in the network'
            )
        for key, value in entries.items():
            if not isinstance(value, _KINDS[key]) or isinstance(value, bool):
                raise NetworkError(
                    f"the description's {key} is {value!r}, a value of the wrong type",
                    hint="samples/README.md has examples",
                )
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
                "the description's multiple, channel or std cannot be used",
                hint="multiple >= 1, channel >= 0, std not 0",
            )
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise NetworkError(f"the description's size is {self.size}", hint="it is [width, height] in pixels")
        if self.fit == "tile" and self.size is None:
            raise NetworkError("the description tiles without a size", hint='add "size": [width, height]')


class StereoNetwork:
    """A loaded ONNX stereo network with its description."""

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
        """Find the disparity (H, W) px of the left view of a pair (H, W, 3) uint8 RGB.

        low, high: disparity range of the pair's own matches in px. It sets the overlap of tiles and reveals a wrong
        description. Raises NetworkError if the network does not accept its inputs, or if most of its disparities lie
        outside this range.
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
        """Match in tiles of the network's input size.

        In the right view a match lies up to `high` px further left. The leftmost `high` columns of a tile may thus have
        no match in it, so each tile overlaps the one before by `high` px, and these columns are discarded.
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
        """Run the network on views (h, w, 3) of its input size; returns disparity (h, w) in px of those views."""
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
        """Convert a view to the network's colours and scale, (1, C, h, w) float32."""
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
        """Raise NetworkError if most of the network's disparities lie outside the range of the pair's own matches."""
        margin = (high - low) / 10
        share = float(((disparity > low - margin) & (disparity < high + margin)).mean())
        log.info("%.0f %% of the network's disparities lie in the range of the pair's own matches", 100 * share)
        if share < _BELIEVED_SHARE:
            first, last = np.nanpercentile(disparity, (5, 95))
            raise NetworkError(
                f"the network's disparities run from {first:.1f} to {last:.1f} px, "
                f"the pair's matches from {low:.0f} to {high:.0f} px",
                hint='check "sign", "channel", "scale", "mean" and "std" in its description',
            )


def _reason(error: cv2.error) -> str:
    """The first line of an OpenCV error's description."""
    return (error.err or str(error)).strip().splitlines()[0]


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _padded(view: Image, width: int, height: int) -> Image:
    bottom, right = height - view.shape[0], width - view.shape[1]
    return cv2.copyMakeBorder(view, 0, bottom, 0, right, cv2.BORDER_REPLICATE)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixels of tiles that cover 0..length and overlap by at least `overlap`; the last one ends at `length`."""
    return [*range(0, length - tile, tile - overlap), length - tile]
