"""What was measured while two photos were rectified by their matches."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RectificationReport:
    """Measurements made while two photos were rectified.

    matches, inliers, inlier_share: number of matched features, and of those that fit one camera pose.
    vertical_error_px: median row difference of the inlier corners after rectification.
    rotation_deg: rotation vector of the second camera, about X, Y and Z.
    direction: unit vector from the first camera to the second, in the first one's axes.
    parallax_px: nine tenths of the inlier corners move less than this once the rotation is undone.
    focal_px, focal: focal lengths of both photos, and whether they are "known", "self-calibrated" or "assumed".
    focal_range_px: the first one's focal length lies between these two, in nine of ten cases.
    lens: distortion coefficient k1 of both photos.
    exchanged: whether the second photo was taken from the left.
    infinity_px: infinitely far points have a disparity between these two, in nine of ten cases; the best estimate is 0.
    contradicted: the turn that the rows show would put much behind infinity.
    """

    matches: int
    inliers: int
    inlier_share: float
    vertical_error_px: float
    rotation_deg: tuple[float, float, float]
    direction: tuple[float, float, float]
    parallax_px: float
    focal_px: tuple[float, float]
    focal: str
    focal_range_px: tuple[float, float]
    lens: tuple[float, float]
    exchanged: bool
    infinity_px: tuple[float, float]
    contradicted: bool

    def rounded(self) -> dict[str, Any]:
        """The fields as a dictionary, rounded to four digits for reports and JSON."""
        return {k: _rounded(v) for k, v in asdict(self).items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return [_rounded(v) for v in value] if isinstance(value, tuple) else value
