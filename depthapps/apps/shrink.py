"""Make an opened scene smaller, where the memory is not enough for all of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.apps.scene import OpenedScene


def shrunk(opened: OpenedScene, times: float) -> OpenedScene:
    """A scene whose sides are `times` shorter, with all that is told in its pixels; `times` of 1 leaves it as it is.

    Depth is picked, not averaged: a mean of two surfaces would lie between them.
    """
    if times == 1:
        return opened
    scene = opened.scene
    height, width = (max(1, round(side / times)) for side in scene.depth_m.shape)
    across = width / scene.depth_m.shape[1]

    def picked(values: NDArray) -> NDArray:
        return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))

    def averaged(picture: NDArray) -> NDArray:
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

    camera, alpha = scene.camera.scaled_to(width, height), opened.metadata.alpha
    confidence = None if scene.confidence is None else picked(scene.confidence)
    empty = None if scene.empty is None else picked(scene.empty.astype(np.uint8)) > 0
    small = replace(
        scene,
        image=averaged(scene.image),
        depth_m=picked(scene.depth_m),
        camera=camera,
        confidence=confidence,
        empty=empty,
    )
    calibration = opened.calibration
    return replace(
        opened,
        scene=small,
        calibration=replace(
            calibration, camera=calibration.camera.scaled_to(width, height), doffs_px=calibration.doffs_px * across
        ),
        views=None if opened.views is None else (averaged(opened.views[0]), averaged(opened.views[1])),
        disparity_px=picked(opened.disparity_px) * np.float32(across),
        metadata=replace(opened.metadata, alpha=None if alpha is None else averaged(alpha)),
    )
