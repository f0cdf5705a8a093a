"""Which files can hold what, by suffix; free of numpy, so that a wrong name is refused at once."""

from __future__ import annotations

import math
import os
from pathlib import Path

from depthapps.core.errors import InputError, OutputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
PREVIEW_SUFFIXES = (".png", ".jpg", ".jpeg")
HEIC_SUFFIXES, MPO_SUFFIXES = (".heic",), (".mpo",)
MASK_SUFFIXES = (".png", ".tif", ".tiff")
MAP_SUFFIXES = (".pfm", ".npy", ".npz", ".tif", ".tiff", ".exr", ".png")
PORTRAIT_SUFFIXES = (".jpg", ".jpeg", ".heic")
DYNAMIC_DEPTH_SUFFIXES = (".jpg", ".jpeg")
INVERSE_SUFFIXES = (*MAP_SUFFIXES, ".jpg", ".jpeg")
SHADOW_MAP_SUFFIXES = (".tif", ".tiff", ".pfm", ".npy")
VIDEO_SUFFIXES = (".mp4", ".gif", ".webp")
FILM_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")  # videos that are read
VIEW3D_SUFFIXES = (*IMAGE_SUFFIXES, *MPO_SUFFIXES, *HEIC_SUFFIXES, *VIDEO_SUFFIXES)
MESH_SUFFIXES = (".glb", ".usdz", ".obj", ".ply", ".stl")
CLOUD_SUFFIXES = (".glb", ".ply")
COLMAP_SUFFIX, COLMAP_POINTS = ".txt", "points3D.txt"  # COLMAP finds its files by their names
SPLAT_SUFFIXES = (".ply", ".spz", ".glb")
TEXTURED_SUFFIXES = (".glb", ".usdz", ".obj")
SOLID_SUFFIXES = (".stl", ".3mf")
VIEWER_SUFFIXES = (".html", ".htm")
MANIFEST_SUFFIXES = (".csv", ".jsonl")
CALIBRATION_SUFFIXES = (".yml", ".yaml", ".xml", ".json")

DEPTH_PNG_SCALE = 1000.0  # units a metre of whole numbers: millimetres, as Kinect, RealSense and 7-Scenes write
DISPARITY_PNG_SCALE = 256.0  # units a pixel, as KITTI writes


def check_depth_scale(scale: float | None) -> None:
    """Raise InputError for units a metre that cannot be; None stands for what is usual."""
    if scale is not None and not 0 < scale < math.inf:
        raise InputError(f"a depth scale of {scale:g} was given, it must be positive", hint="1000 means millimetres")


def companions(path: str | os.PathLike[str]) -> list[Path]:
    """The further files that come with a model.

    An OBJ has a material and a texture beside it, of its own name; a COLMAP model has the cameras and the photos beside
    its points. Raises OutputError for a name with which they would not be found.
    """
    path = Path(path)
    if path.suffix.lower() == COLMAP_SUFFIX:
        if path.name != COLMAP_POINTS:
            raise OutputError(f"{path.name} is no file of a COLMAP model", hint=f"name it {COLMAP_POINTS}, in a folder")
        return [path.with_name("cameras.txt"), path.with_name("images.txt")]
    if path.suffix.lower() != ".obj":
        return []
    if any(c.isspace() for c in path.name):
        raise OutputError(f"{path.name} has a blank in its name, which OBJ files cannot refer to", hint="rename it")
    return [path.with_suffix(".mtl"), path.with_suffix(".png")]
