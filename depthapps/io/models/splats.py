"""Write Gaussian splats: PLY with the names of the paper's own program, SPZ, about ten times smaller, and glTF.

Sources: Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering" (2023), Niantic's SPZ, version 2,
and Khronos' extension KHR_gaussian_splatting of glTF 2.0.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthapps.core.choices import Axes
from depthapps.core.errors import OutputError
from depthapps.core.models import GaussianSplats
from depthapps.io.formats import SPLAT_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.models.axes import in_axes, refuse_wild
from depthapps.io.models.glb import Rows, Viewpoint, camera_node, glb_parts
from depthapps.io.outputs import Outputs, check_suffix, opened

_SH0 = 0.28209479177387814  # the constant spherical harmonic: colour = 0.5 + _SH0 * coefficient
_OPACITY = 0.99  # where none is given; 1 has no logit
_NAMES = ("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2",
          "rot_0", "rot_1", "rot_2", "rot_3")  # fmt: skip
_SPZ_MAGIC, _SPZ_VERSION = 0x5053474E, 2
_SPZ_FRACTION = 12  # bits behind the point of a position at most: 0.24 mm, up to 2048 m
_SPZ_LARGEST = (1 << 23) - 1  # of a position's 24 bits, one of which is the sign
_SPZ_COLOR = 0.15  # of a byte's range that a coefficient of 1 takes
_LEVEL = 6  # of gzip
_PART = 1 << 18  # splats that are encoded at once


def write_splats(
    path: StrPath,
    splats: GaussianSplats,
    *,
    axes: Axes | None = None,
    viewpoint: Viewpoint | None = None,
    outputs: Outputs | None = None,
) -> None:
    """Write Gaussian splats. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.ply`` holds floats under the names of the paper's own program, ``.spz`` bytes, compressed, ``.glb`` floats in
        glTF's extension, which programs without it show as points.
    splats : GaussianSplats
        In camera axes, metres.
    axes : Axes, optional
        Axes of the file; without, the camera's in ``.ply``, as that program has them, and the viewer's in the others.
    viewpoint : Viewpoint, optional
        The photo's camera, which a ``.glb`` holds beside the splats.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    OutputError
        The file cannot be written, the suffix is of no such format, or a centre is not finite.

    Notes
    -----
    An ``.spz`` keeps positions to 0.24 mm, or coarser where they lie beyond 2048 m, and sizes in steps of 6 %.
    """
    path = Path(path)
    check_suffix(path, SPLAT_SUFFIXES, "a splat file")
    refuse_wild(splats.centers)
    suffix = path.suffix.lower()
    axes = axes or (Axes.CAMERA if suffix == ".ply" else Axes.VIEWER)
    with opened(outputs, [path]) as group:
        match suffix:
            case ".ply":
                group.write(path, splat_ply_parts(splats, axes))
            case ".spz":
                group.write(path, spz_bytes(splats, axes))
            case ".glb":
                group.write(path, splat_glb_parts(splats, axes, viewpoint))


def splat_ply_parts(splats: GaussianSplats, axes: Axes = Axes.CAMERA) -> Iterator[bytes]:
    """Encode splats as binary PLY: colours as coefficients of a harmonic, logits of opacity, logarithms of sizes.

    The bytes come one part after the other: a whole file is larger than all that it is made of.
    """
    count = len(splats.centers)
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {count}"]
    header += [f"property float {name}" for name in _NAMES]
    yield ("\n".join([*header, "end_header"]) + "\n").encode("ascii")
    for first in range(0, count, _PART):
        yield _ply_rows(_part(splats, slice(first, first + _PART)), axes).tobytes()


def _part(splats: GaussianSplats, rows: slice) -> GaussianSplats:
    """Some of the splats."""
    return replace(
        splats,
        centers=splats.centers[rows],
        colors=splats.colors[rows],
        scales_m=splats.scales_m[rows],
        rotations=splats.rotations[rows],
        opacities=None if splats.opacities is None else splats.opacities[rows],
    )


def _ply_rows(splats: GaussianSplats, axes: Axes) -> NDArray[np.floating]:
    """The values (N, 17) of splats in a PLY."""
    table = np.zeros((len(splats.centers), len(_NAMES)), "<f4")
    table[:, :3] = in_axes(splats.centers, axes)
    table[:, 6:9] = _coefficients(splats)
    opacity = _opacities(splats)
    table[:, 9] = np.log(opacity / (1 - opacity))
    table[:, 10:13] = np.log(splats.scales_m)
    table[:, 13:] = _turned(splats, axes)
    return table


def splat_glb_parts(
    splats: GaussianSplats, axes: Axes = Axes.VIEWER, viewpoint: Viewpoint | None = None
) -> Iterator[bytes | memoryview]:
    """Encode splats as GLB, in parts: coefficients of a harmonic, and opacity and sizes as they are."""

    def rotations(rows: slice) -> NDArray[np.floating]:
        turned = _turned(_part(splats, rows), axes)
        return (turned / np.linalg.norm(turned, axis=1, keepdims=True))[:, [1, 2, 3, 0]]  # glTF has w last

    count = len(splats.centers)
    values = {
        "ROTATION": Rows(rotations, count, 4),
        "SCALE": Rows(lambda rows: splats.scales_m[rows], count, 3),
        "OPACITY": Rows(lambda rows: _opacities(_part(splats, rows)), count, 1),
        "SH_DEGREE_0_COEF_0": Rows(lambda rows: _coefficients(_part(splats, rows)), count, 3),
    }
    view = viewpoint and camera_node(viewpoint, axes)
    return glb_parts(in_axes(splats.centers, axes), colors=splats.colors, view=view, splats=values)


def spz_bytes(splats: GaussianSplats, axes: Axes = Axes.VIEWER) -> bytes:
    """Encode splats as SPZ: positions, opacities, colours, sizes and rotations, one after the other."""
    count = len(splats.centers)
    farthest = max(float(np.abs(splats.centers).max(initial=0)), 1.0)
    if farthest > _SPZ_LARGEST:
        raise OutputError("an .spz cannot hold what is so far away", hint="write a .ply")
    fraction = min(_SPZ_FRACTION, int(np.log2(_SPZ_LARGEST / farthest)))
    header = struct.pack("<IIIBBBB", _SPZ_MAGIC, _SPZ_VERSION, count, 0, fraction, 0, 0)
    fixed = np.rint(in_axes(splats.centers, axes) * (1 << fraction)).astype("<i4")
    positions = fixed.reshape(-1, 1).view(np.uint8)[:, :3]  # the low three of four bytes
    alphas = _bytes(_opacities(splats) * 255)
    colors = _bytes((_coefficients(splats) * _SPZ_COLOR + 0.5) * 255)
    sizes = _bytes((np.log(splats.scales_m) + 10) * 16)
    turned = _turned(splats, axes)
    turned = np.where(turned[:, :1] < 0, -turned, turned)  # w is left out, and taken as positive
    rotations = _bytes(turned[:, 1:] * 127.5 + 127.5)
    body = b"".join(part.tobytes() for part in (positions, alphas, colors, sizes, rotations))
    return gzip.compress(header + body, _LEVEL, mtime=0)  # the same bytes every time


def _opacities(splats: GaussianSplats) -> NDArray[np.floating]:
    return np.full(len(splats.centers), _OPACITY, np.float32) if splats.opacities is None else splats.opacities


def _coefficients(splats: GaussianSplats) -> NDArray[np.floating]:
    return (splats.colors / np.float32(255) - np.float32(0.5)) / np.float32(_SH0)


def _turned(splats: GaussianSplats, axes: Axes) -> NDArray[np.floating]:
    """The rotations w, x, y, z (N, 4) in other axes: half a turn around X lies between the two conventions."""
    w, x, y, z = splats.rotations.T
    return splats.rotations if axes is Axes.CAMERA else np.column_stack([-x, w, -z, y])


def _bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
