"""Run a network that guesses depth from one photo, which the user supplies as an ONNX file, through cv2.dnn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import NetworkError, param
from depthapps.core.scene import FloatMap, Image
from depthapps.engine.network import answer_of, as_blob, load_network, padded, round_up
from depthapps.engine.network_description import NetworkDescription
from depthapps.engine.onnx_inputs import declared_inputs

_PROPORTION = 0.02  # relative difference allowed in the aspect ratios of input and output: networks round to patches
_ENDS_PERCENT = (0.5, 99.5)  # percentiles that stand for the nearest and farthest, as few samples are wild
_FLAT = 1e-4  # least spread of an output relative to its size; float32 networks repeat themselves to about 1e-6
_NEGATIVE_SHARE = 0.95  # of inverse depth with an unknown offset, some may be negative, but not nearly all
# Metres within which the middle of a photo's depths is believed, from things on a table to landscapes. A depth in
# millimetres lies above.
_NEAREST_M, _FARTHEST_M = 0.05, 1000.0


class DepthNetwork:
    """A loaded ONNX network that guesses depth from one photo, with its description."""

    def __init__(self, model: bytes, description: NetworkDescription) -> None:
        if not description.of_one_photo:
            raise NetworkError(
                "the description is of a stereo network, which gives disparity of two views",
                hint='say what the network makes of one photo, "gives": "inverse", "affine" or "metric"; '
                f"a stereo network is a {param('matcher')}",
            )
        self._description = description
        self._net = load_network(model)
        self._shape = _input_shape(model, description.inputs[0])
        names = self._net.outputs
        if not description.output and len(names) > 1:
            raise NetworkError(
                f"the network has {len(names)} outputs, the description names none of them",
                hint=f'add "output", one of {", ".join(names)}',
            )

    @property
    def gives(self) -> str:
        """What the network gives: "inverse", "affine" or "metric", see `NetworkDescription`."""
        return self._description.gives

    @property
    def in_metres(self) -> bool:
        """Whether the network gives metres, and not only what is nearer."""
        return self.gives == "metric"

    @property
    def needs_focal(self) -> bool:
        """Whether its metres depend on the focal length of the photo."""
        return self._description.canonical_focal_px is not None

    @property
    def _channels_last(self) -> bool:
        """Whether the network declares an input of (1, height, width, channels), as exports of TensorFlow do."""
        channels = (1, 3)
        return len(self._shape) == 4 and self._shape[3] in channels and self._shape[1] not in channels

    def find(self, image: Image, focal_px: float) -> FloatMap:
        """Guess what the description's `gives` says of a photo (H, W, 3), as a map (h, w) float32 of a size of its own.

        focal_px: the photo's focal length in pixels, on which metres depend if the description has a canonical one.
        Metric depth is in metres; NaN is unknown. Raises NetworkError if the network does not accept its input, or if
        what it gives cannot be what the description says.
        """
        d = self._description
        height, width = image.shape[:2]
        (net_width, net_height), (inner_width, inner_height) = self._sizes(width, height)
        how = cv2.INTER_AREA if inner_width < width else cv2.INTER_CUBIC
        inner = np.asarray(cv2.resize(to_8bit(image), (inner_width, inner_height), interpolation=how))
        blob = as_blob(padded(inner, net_width, net_height), d)
        if self._channels_last:
            blob = np.ascontiguousarray(blob.transpose(0, 2, 3, 1))
        self._fit(blob.shape)
        maps = _maps(answer_of(self._net, d, [blob], "photo"), net_width, net_height)
        if d.channel >= len(maps):
            raise NetworkError(
                f"the network gives {len(maps)} maps of {maps.shape[2]}x{maps.shape[1]}, "
                f"channel {d.channel} was expected",
                hint='check "output" and "channel" in its description',
            )
        h, w = maps.shape[1:]
        rows, columns = max(round(h * inner_height / net_height), 1), max(round(w * inner_width / net_width), 1)
        values = np.float32(d.sign) * maps[d.channel, :rows, :columns].astype(np.float32)
        values = np.where(np.isfinite(values), values, np.float32(np.nan))
        if self.in_metres:
            per_focal = focal_px * inner_width / width / d.canonical_focal_px if d.canonical_focal_px else 1.0
            values = values * np.float32(d.unit_m * per_focal)
        self._believe(values)
        return np.where(values > 0, values, np.float32(np.nan)) if self.in_metres else values

    def _sizes(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Width and height of the network's input for a photo's, and of the resized photo at its top left."""
        d = self._description
        if d.size is None:
            scale = d.short_side / min(width, height) if d.short_side else 1.0
            size = (round_up(round(width * scale), d.multiple), round_up(round(height * scale), d.multiple))
            return size, size
        size = (d.size[0], d.size[1])
        if d.fit == "stretch":
            return size, size
        scale = min(size[0] / width, size[1] / height)
        return size, (max(min(round(width * scale), size[0]), 1), max(min(round(height * scale), size[1]), 1))

    def _fit(self, shape: tuple[int, ...]) -> None:
        """Raise NetworkError for an input of another shape than the network declares."""
        wanted = self._shape
        same_rank = len(wanted) == len(shape)
        if not wanted or (same_rank and all(w in (0, s) for w, s in zip(wanted, shape, strict=True))):
            return
        hint = "export it for inputs of (1, channels, height, width)"
        channels, height = (3, 1) if self._channels_last else (1, 2)
        if same_rank and wanted[channels] not in (0, shape[channels]):
            hint = 'check "color" in its description: "grey" has one channel, "rgb" and "bgr" have three'
        elif same_rank and all(wanted[height : height + 2]):
            size = f"[{wanted[height + 1]}, {wanted[height]}]"
            hint = f'set "size" to {size} in its description, and leave "short_side" out'
        raise NetworkError(
            f"the network's input is {_shape(wanted)}, by its description it would get {_shape(shape)}", hint=hint
        )

    def _believe(self, values: FloatMap) -> None:
        """Raise NetworkError if values (h, w) cannot be what the description says."""
        known = values[np.isfinite(values)]
        if known.size < values.size / 2:
            raise NetworkError(
                f"{100 * (1 - known.size / values.size):.0f} % of what the network gives are no numbers",
                hint='check "scale", "mean", "std" and "output" in its description; 16-bit exports may overflow',
            )
        low, high = (float(v) for v in np.percentile(known, _ENDS_PERCENT))
        if high - low <= _FLAT * max(abs(low), abs(high)):
            raise NetworkError(
                f"the network gives the same value everywhere, {low:.4g}",
                hint='check "output", "channel", "scale", "mean" and "std" in its description, and the photo',
            )
        middle, negative = float(np.median(known)), float((known < 0).mean())
        if negative > (0.5 if self.in_metres else _NEGATIVE_SHARE):
            raise NetworkError(
                f"{100 * negative:.0f} % of what the network gives are negative, from {low:.4g} to {high:.4g}",
                hint=f'set "sign" to {-self._description.sign} in its description, or check "output" and "channel"',
            )
        if self.in_metres and not _NEAREST_M <= middle <= _FARTHEST_M:
            raise NetworkError(
                f"by the description the photo's depths run from {low:.3g} to {high:.3g} m, half of them beyond "
                f"{middle:.3g} m",
                hint='check "unit_m", "canonical_focal_px" and "gives" in it: "inverse" if larger is nearer',
            )


def _input_shape(model: bytes, name: str) -> tuple[int, ...]:
    """The shape that a network declares for its input, 0 for any length; empty if it declares none."""
    declared = declared_inputs(model)
    if declared and name not in declared:
        raise NetworkError(
            f"the network has no input {name!r}",
            hint=f'set "inputs" to one of {", ".join(declared)} in its description',
        )
    if others := declared.keys() - {name}:
        raise NetworkError(
            f"besides {name!r} the network wants {', '.join(sorted(others))}",
            hint="export it with one input, the photo, and the others fixed",
        )
    return declared.get(name, ())


def _shape(lengths: tuple[int, ...]) -> str:
    """A shape in words, such as 1x3x?x?."""
    return "x".join(str(length or "?") for length in lengths)


def _maps(answer: NDArray[np.floating], width: int, height: int) -> NDArray[np.floating]:
    """Order an output as (C, h, w), of any size with the input's proportions. Raises NetworkError for other shapes.

    Channels may stand before rows and columns, behind them, or not at all.
    """
    shape = answer.shape
    if len(shape) >= 2 and _alike(shape[-2], shape[-1], width, height):
        return answer.reshape(-1, *shape[-2:])
    if len(shape) >= 3 and _alike(shape[-3], shape[-2], width, height):
        return np.moveaxis(answer.reshape(-1, *shape[-3:])[0], -1, 0)
    raise NetworkError(
        f"the network gives {'x'.join(map(str, shape))} numbers, a map of {width}x{height} was expected",
        hint='check "output", "size" and "fit" in its description',
    )


def _alike(h: int, w: int, width: int, height: int) -> bool:
    """Whether a map of w x h has the proportions of width x height, to rounding."""
    return min(h, w) > 1 and abs(h * width - w * height) <= _PROPORTION * w * height
