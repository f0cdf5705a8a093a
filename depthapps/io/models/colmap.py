"""COLMAP's sparse model as text: cameras, photos with their poses, and points, for programs that start from it.

Written here because it is three short tables; the layout is that of "Output Format" in COLMAP's documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthapps.core.camera import Camera
from depthapps.core.models import PointCloud
from depthapps.io.formats import COLMAP_SUFFIX, companions
from depthapps.io.inputs import StrPath
from depthapps.io.models.axes import refuse_wild
from depthapps.io.models.text_rows import format_rows
from depthapps.io.outputs import Outputs, check_suffix, opened


@dataclass(frozen=True)
class PlacedPhoto:
    """A photo of a rectified pair, and where it was taken.

    Attributes
    ----------
    name : str
        Name of the photo's file.
    camera : Camera
        The pinhole camera of the photo.
    right_m : float
        How far to the right of the first photo it was taken, in metres; both look into one direction.
    """

    name: str
    camera: Camera
    right_m: float = 0.0


def write_colmap(
    path: StrPath, cloud: PointCloud, photos: Sequence[PlacedPhoto], *, outputs: Outputs | None = None
) -> None:
    """Write a sparse model of COLMAP as text. Its three files appear when all of them are whole, or not at all.

    Parameters
    ----------
    path : str or PathLike
        The file of the points, which has to be called ``points3D.txt``; ``cameras.txt`` and ``images.txt`` are written
        beside it.
    cloud : PointCloud
        In camera axes, metres, which are COLMAP's axes too.
    photos : sequence of PlacedPhoto
        The photos that were taken of it.
    outputs : Outputs, optional
        The group of files that these belong to. Without it the files are written at once and replace old ones.

    Raises
    ------
    OutputError
        A file cannot be written, or is called otherwise, or a point is not finite.

    Notes
    -----
    COLMAP counts pixels from the picture's corner, so its principal point is half a pixel larger. The points have no
    tracks: which feature of which photo they are seen at is not known, because they come from dense matching.
    """
    path = Path(path)
    check_suffix(path, (COLMAP_SUFFIX,), "a COLMAP model")
    refuse_wild(cloud.points)
    cameras, images = companions(path)
    numbered = list(enumerate(photos, 1))
    lens = "".join(
        f"{k} PINHOLE {c.width} {c.height} {c.fx:.9g} {c.fy:.9g} {c.cx + 0.5:.9g} {c.cy + 0.5:.9g}\n"
        for k, c in ((k, photo.camera) for k, photo in numbered)
    )
    # no rotation as a quaternion, the translation from world to camera; the empty line would list features
    poses = "".join(f"{k} 1 0 0 0 {-photo.right_m:.9g} 0 0 {k} {photo.name}\n\n" for k, photo in numbered)
    table = np.column_stack([np.arange(1, len(cloud.points) + 1), cloud.points, cloud.colors])
    with opened(outputs, [path, cameras, images]) as group:
        group.write(path, format_rows("{0} {1} {2} {3} {4} {5} {6} 0\n", table))
        group.write(cameras, lens.encode())
        group.write(images, poses.encode())
