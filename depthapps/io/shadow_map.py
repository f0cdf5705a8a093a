"""A light's depth map to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depthapps.io.maps import write_depth
from depthapps.io.outputs import Outputs

SHADOW_MAP_SUFFIXES = (".tif", ".tiff", ".pfm", ".npy")


class LightView(Protocol):
    """What is written of a shadow map; `depthapps.shadow.light_view.ShadowMap` is one, and says what they are."""

    @property
    def depth_m(self) -> NDArray[np.floating]: ...
    @property
    def camera_to_light(self) -> NDArray[np.floating]: ...
    @property
    def projection(self) -> NDArray[np.floating]: ...


def matrices_path(path: Path) -> Path:
    """The file beside a shadow map that holds its matrices."""
    return path.with_suffix(".json")


def write_shadow_map(path: Path, view: LightView, outputs: Outputs) -> None:
    """Write the map in metres, NaN where the light meets nothing, and beside it the matrices that lead into it.

    A point P in camera axes lies at the pixel (x / w, y / w) with (x, y, w) = projection · camera_to_light · (P, 1).
    """
    write_depth(outputs.part(path), view.depth_m)
    matrices = {"camera_to_light": view.camera_to_light.tolist(), "projection": view.projection.tolist()}
    outputs.part(matrices_path(path)).write_text(json.dumps(matrices, indent=2) + "\n", encoding="utf-8")
