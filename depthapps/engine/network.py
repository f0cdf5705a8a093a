"""Run a stereo network that the user supplies as an ONNX file, through cv2.dnn."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import NetworkError, param
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.network_description import NetworkDescription
from depthapps.engine.network_process import NetworkProcess, NetworkRefusedError

log = logging.getLogger(__name__)

# Least share of a network's disparities inside the range of the pair's own matches, widened by a tenth on both sides.
# With a wrong sign, scale or channel almost none lie inside.
_BELIEVED_SHARE = 0.5


class StereoNetwork:
    """A loaded ONNX stereo network with its description."""

    def __init__(self, model: bytes, description: NetworkDescription) -> None:
        if description.of_one_photo:
            raise NetworkError(
                f"the description's gives is {description.gives!r}: this network takes one photo, not two views",
                hint=f"pass it as {param('depth_network')}, with one photo",
            )
        self._description = description
        self._net = load_network(model)

    def match(self, left: Image, right: Image, low: float, high: float) -> FloatMap:
        """Find the disparity (H, W) px of the left view of a pair (H, W, 3) uint8 RGB.

        low, high: disparity range of the pair's own matches in px. It sets the overlap of tiles and reveals a wrong
        description. Raises NetworkError if the network does not accept its inputs, if its disparities are all the same,
        or if most of them lie outside this range.
        """
        d = self._description
        height, width = left.shape[:2]
        if d.fit == "tile" and d.size is not None:
            disparity = self._tiled(left, right, high)
        else:
            net_width, net_height = d.size or (round_up(width, d.multiple), round_up(height, d.multiple))
            if d.fit == "pad" and (net_width < width or net_height < height):
                raise NetworkError(
                    f"the picture is {width}x{height}, too large to pad to the network's {net_width}x{net_height}",
                    hint='set "fit" to "stretch" or "tile"',
                )
            if d.fit == "pad":
                views = [padded(view, net_width, net_height) for view in (left, right)]
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
        left, right = (padded(v, max(width, tile_width), max(height, tile_height)) for v in (left, right))
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
        blobs = [as_blob(view, d) for view in views]
        if d.layout == "stacked":
            blobs = [np.concatenate(blobs, axis=1)]
        answer = answer_of(self._net, d, blobs, "pair")
        if answer.ndim < 2 or not answer.size:
            raise NetworkError(
                f"the network gives {'x'.join(map(str, answer.shape)) or 'single'} numbers, a map of {width}x{height} "
                "was expected",
                hint='check "output" in its description',
            )
        answer = answer.reshape(-1, *answer.shape[-2:])
        if d.channel >= len(answer) or answer.shape[1:] != (height, width):
            raise NetworkError(
                f"the network gives {len(answer)} maps of {answer.shape[2]}x{answer.shape[1]}, "
                f"channel {d.channel} of {width}x{height} was expected",
                hint='check "output", "channel", "size" and "fit" in its description',
            )
        return np.float32(d.sign) * answer[d.channel]

    def _believe(self, disparity: FloatMap, low: float, high: float) -> None:
        """Raise NetworkError for disparities that are none, or mostly outside the range of the pair's own matches."""
        known = disparity[np.isfinite(disparity)]
        if known.size < disparity.size / 2:
            raise NetworkError(
                f"{100 * (1 - known.size / disparity.size):.0f} % of what the network gives are no numbers",
                hint='check "scale", "mean" and "std" in its description; 16-bit exports may overflow',
            )
        margin = (high - low) / 10
        if known.min() == known.max():
            raise NetworkError(
                f"the network gives the same disparity everywhere, {known[0] + 0.0:.4g} px",
                hint='check "output", "channel", "scale", "mean" and "std" in its description',
            )
        share = float(((disparity > low - margin) & (disparity < high + margin)).mean())
        log.info("%.0f %% of the network's disparities lie in the range of the pair's own matches", 100 * share)
        if share < _BELIEVED_SHARE:
            first, last = np.percentile(known, (5, 95))
            raise NetworkError(
                f"the network's disparities run from {first:.1f} to {last:.1f} px, "
                f"the pair's matches from {low:.0f} to {high:.0f} px",
                hint='check "sign", "channel", "scale", "mean" and "std" in its description',
            )


def load_network(model: bytes) -> NetworkProcess:
    """Load an ONNX file's content. Raises NetworkError if it is none, or if OpenCV does not know its operations."""
    try:
        return NetworkProcess(model)
    except NetworkRefusedError as error:
        raise NetworkError(
            f"the network cannot be loaded: {error}", hint="export it to ONNX for OpenCV's dnn, opset 11 to 17"
        ) from None


def as_blob(view: Image, description: NetworkDescription) -> NDArray[np.floating]:
    """Convert a view (h, w, 3) uint8 RGB to the network's colours and scale, (1, C, h, w) float32."""
    d = description
    if d.color == "grey":
        view = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)[..., None]
    elif d.color == "bgr":
        view = view[..., ::-1]
    samples = (view.astype(np.float32) * np.float32(d.scale) - np.array(d.mean, np.float32)) / np.array(
        d.std, np.float32
    )
    return np.ascontiguousarray(samples.transpose(2, 0, 1)[None], np.float32)


def answer_of(
    net: NetworkProcess, description: NetworkDescription, blobs: Sequence[NDArray[np.floating]], what: str
) -> NDArray[np.floating]:
    """Run a network on its inputs, in the description's order. Raises NetworkError if it takes none such.

    what: "pair" or "photo", for the message.
    """
    try:
        return net.run(dict(zip(description.inputs, blobs, strict=True)), description.output)
    except NetworkRefusedError as error:
        keys = ', "short_side"' if description.of_one_photo else ', "layout"'
        raise NetworkError(
            f"the network does not take the {what}: {error}",
            hint=f'check "inputs", "output"{keys}, "color", "size" and "multiple" in its description',
        ) from None


def round_up(length: int, multiple: int) -> int:
    """The least multiple of `multiple` that is at least `length`."""
    return -(-length // multiple) * multiple


def padded(view: Image, width: int, height: int) -> Image:
    """A view continued at its right and bottom, by the samples at its border, to width x height."""
    bottom, right = height - view.shape[0], width - view.shape[1]
    return cv2.copyMakeBorder(view, 0, bottom, 0, right, cv2.BORDER_REPLICATE)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixels of tiles that cover 0..length and overlap by at least `overlap`; the last one ends at `length`."""
    return [*range(0, length - tile, tile - overlap), length - tile]
