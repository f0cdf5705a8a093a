"""Tell where the photos of a scene were taken, for programs that take photos with their poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from depthapps.apps.scene import OpenedScene
from depthapps.core.scene import check_opened
from depthapps.io.models.colmap import PlacedPhoto


def placed_photos(opened: OpenedScene) -> list[PlacedPhoto]:
    """Name the photos of a scene, with their cameras.

    Parameters
    ----------
    opened : OpenedScene

    Returns
    -------
    list of PlacedPhoto
        The photo of the scene; and the second one if it is a file of its own and was matched as it is. A photo that was
        rectified first has no pinhole camera in the axes of the scene, and is left out.
    """
    check_opened(opened)
    inputs, calibration = opened.facts.get("inputs", {}), opened.calibration
    photos = [PlacedPhoto(Path(inputs.get("image", "photo")).name, opened.scene.camera)]
    rectification = opened.facts.get("rectification", {})
    if rectification.get("method") == "none" and "right" in inputs:
        side = -1 if rectification.get("exchanged") else 1
        camera = replace(calibration.camera, cx=calibration.camera.cx + side * calibration.doffs_px)
        photos.append(PlacedPhoto(Path(inputs["right"]).name, camera, side * calibration.baseline_m))
    return photos
