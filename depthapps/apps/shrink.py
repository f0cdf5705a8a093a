"""Make an opened scene smaller, where the memory is not enough for all of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.apps.scene import OpenedScene
from depthapps.core.scene import Scene


def shrunk_scene(scene: Scene, width: int, height: int) -> Scene:
    """A scene of fewer pixels. Depth is picked, not averaged: a mean of two surfaces would lie between them."""

    def picked(values: NDArray) -> NDArray:
        return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))

    return replace(
        scene,
        image=np.asarray(cv2.resize(scene.image, (width, height), interpolation=cv2.INTER_AREA)),
        depth_m=picked(scene.depth_m),
        camera=scene.camera.scaled_to(width, height),
        confidence=None if scene.confidence is None else picked(scene.confidence),
        empty=None if scene.empty is None else picked(scene.empty.astype(np.uint8)) > 0,
    )


def shrunk(opened: OpenedScene, times: float) -> OpenedScene:
    """A scene whose sides are `times` shorter, with all that is told in its pixels; `times` of 1 leaves it as it is."""
    if times == 1:
        return opened
    height, width = (max(1, round(side / times)) for side in opened.scene.depth_m.shape)
    across = width / opened.scene.depth_m.shape[1]

    def averaged(picture: NDArray) -> NDArray:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

    calibration, alpha = opened.calibration, opened.metadata.alpha
    disparity = np.asarray(cv2.resize(opened.disparity_px, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    return replace(
        opened,
        scene=shrunk_scene(opened.scene, width, height),
        calibration=replace(
            calibration, camera=calibration.camera.scaled_to(width, height), doffs_px=calibration.doffs_px * across
        ),
        views=None if opened.views is None else (averaged(opened.views[0]), averaged(opened.views[1])),
        disparity_px=disparity * np.float32(across),
        metadata=replace(opened.metadata, alpha=None if alpha is None else averaged(alpha)),
    )
