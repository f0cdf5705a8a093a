"""Take the transparent parts of a photo out of its scene: they are kept in pictures and are no surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from depthapps.apps.inputs import Given
from depthapps.apps.journal import Journal
from depthapps.core.errors import NoDepthError
from depthapps.core.scene import FloatMap, Image, Scene

_OPAQUE = 0.5  # opacity from which a pixel shows a surface


def opacity_of(image: Image, given: Given, journal: Journal) -> FloatMap | None:
    """The opacity (H, W) in 0..1 of a scene's picture, with a note; None if it is opaque.

    A picture that was rectified is another one than the photo, and opaque.
    """
    alpha = given.photo.metadata.alpha
    if alpha is None or image is not given.photo.image:
        return None
    clear = 100 * (alpha < _OPAQUE).mean()
    journal.note(f"{clear:.2g} % of the picture is transparent and no surface; .png and .tif keep it transparent")
    return alpha


def cut_out(scene: Scene, disparity_px: FloatMap, opacity: FloatMap | None) -> tuple[Scene, FloatMap]:
    """Make depth and disparity (H, W) unknown where a picture is transparent. Raises NoDepthError if none is left."""
    if opacity is None:
        return scene, disparity_px
    empty = opacity < _OPAQUE
    depth, disparity = (np.where(empty, np.float32(np.nan), v) for v in (scene.depth_m, disparity_px))
    if not np.isfinite(depth).any():
        raise NoDepthError(
            "the picture is transparent wherever its depth is known",
            hint="is it the right picture? saved without transparency, all of it is used",
        )
    return replace(scene, depth_m=depth, empty=empty), disparity
