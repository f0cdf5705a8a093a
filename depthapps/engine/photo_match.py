"""What matching two photos found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depthapps.core.camera import Calibration
from depthapps.core.scene import FloatMap, Image, SecondView
from depthapps.engine.match import StereoMatch
from depthapps.engine.rectify.rectification import Rectification
from depthapps.engine.rectify.report import RectificationReport


@dataclass(frozen=True, eq=False)
class PhotoMatch:
    """Result of matching two photos.

    image: (H, W, 3), the photo or the rectified view that the result is aligned with; `calibration` belongs to it.
    match: disparity and confidence in the pixels of `image`. After rectification, the disparity is NaN where the
    second photo cannot show the point; in the original photo's frame it is fx · baseline / Z of that photo's camera.
    views: the pair as it was matched, left view first.
    rectification: None if the photos were matched without rectification.
    report: the estimated camera pose and its quality; None if no pose had to be estimated.
    exchanged: rectified photos were named in the wrong order; `views` ends with the first one then, and `calibration`
    has its camera.
    """

    image: Image
    calibration: Calibration
    match: StereoMatch
    views: tuple[Image, Image]
    rectification: Rectification | None = None
    report: RectificationReport | None = None
    exchanged: bool = False

    @property
    def second(self) -> SecondView:
        """The second photo as it was matched, placed by the axes of the camera of `image`."""
        warped = self.rectification
        geometry = self.calibration if warped is None else warped.calibration
        cx, centre_m = geometry.camera.cx + geometry.doffs_px, geometry.baseline_m
        from_left = self.exchanged or (warped is not None and warped.mirrored)
        if self.exchanged:
            cx = geometry.camera.cx - geometry.doffs_px
        elif from_left:
            cx = geometry.camera.width - 1 - cx
        if from_left:
            centre_m = -centre_m
        from_scene = np.eye(4)
        if warped is not None and not any(self.image is view for view in self.views):  # the photo as it was taken
            from_scene[:3, :3] = warped.first.turn
        from_scene[0, 3] = -centre_m
        return SecondView(self.views[0 if from_left else 1], replace(geometry.camera, cx=cx), from_scene)


def flipped(values: Image | FloatMap) -> NDArray:
    """A picture or map (H, W, any) with left and right exchanged."""
    return np.ascontiguousarray(values[:, ::-1])
