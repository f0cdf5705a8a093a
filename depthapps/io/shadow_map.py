"""Write a light's depth map, the shadow map, with the matrices that lead into it."""

from __future__ import annotations

import json
from pathlib import Path

from depthapps.core.models import ShadowMap
from depthapps.io.formats import SHADOW_MAP_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.maps.write import write_depth
from depthapps.io.outputs import Outputs, check_suffix, opened


def matrices_path(path: StrPath) -> Path:
    """The JSON file beside a shadow map that holds its matrices."""
    return Path(path).with_suffix(".json")


def write_shadow_map(path: StrPath, view: ShadowMap, *, outputs: Outputs | None = None) -> None:
    """Write a shadow map and its matrices. Both files appear, or none.

    Parameters
    ----------
    path : str or PathLike
        A float map: ``.tif``, ``.pfm`` or ``.npy``. The matrices are written beside it, to a ``.json`` file of the same
        name.
    view : ShadowMap
        The map and its matrices.
    outputs : Outputs, optional
        The group of files that these belong to. Without it they are written at once and replace old ones.

    Raises
    ------
    OutputError
        A file cannot be written, or the suffix is of no float map.

    Notes
    -----
    A point P in camera axes lies at the pixel (x / w, y / w) of the map, where
    (x, y, w) = projection · camera_to_light · (P, 1).
    """
    path = Path(path)
    check_suffix(path, SHADOW_MAP_SUFFIXES, "a shadow map")
    matrices = {"camera_to_light": view.camera_to_light.tolist(), "projection": view.projection.tolist()}
    with opened(outputs, [path, matrices_path(path)]) as group:
        write_depth(path, view.depth_m, outputs=group)
        group.write(matrices_path(path), (json.dumps(matrices, indent=2) + "\n").encode())
