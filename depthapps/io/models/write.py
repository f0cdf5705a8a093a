"""Write meshes, point clouds and printable solids; the suffix chooses the format."""

from __future__ import annotations

from pathlib import Path

from depthapps.core.choices import Axes as Axes
from depthapps.core.models import PointCloud, PrintableSolid, TriangleMesh
from depthapps.io.formats import CLOUD_SUFFIXES, MESH_SUFFIXES, SOLID_SUFFIXES, companions
from depthapps.io.inputs import StrPath
from depthapps.io.models.axes import in_axes, refuse_wild
from depthapps.io.models.glb import Viewpoint, cloud_glb, mesh_glb
from depthapps.io.models.obj import mtl_bytes, obj_pieces
from depthapps.io.models.ply import ply_bytes
from depthapps.io.models.stl import stl_bytes
from depthapps.io.models.threemf import threemf_bytes
from depthapps.io.models.usdz import usdz_bytes
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.photos.images import write_image


def default_axes(path: StrPath) -> Axes:
    """The axes that readers of a format expect: the camera's in PLY, the viewer's in all others."""
    return Axes.CAMERA if Path(path).suffix.lower() == ".ply" else Axes.VIEWER


def write_mesh(
    path: StrPath,
    mesh: TriangleMesh,
    *,
    axes: Axes | None = None,
    web: bool = False,
    viewpoint: Viewpoint | None = None,
    outputs: Outputs | None = None,
) -> None:
    """Write a mesh. Its files appear when all of them are whole, or not at all.

    Parameters
    ----------
    path : str or PathLike
        ``.glb``, ``.usdz`` and ``.obj`` hold the texture, ``.ply`` vertex colours, ``.stl`` bare triangles. Beside an
        ``.obj`` stand a ``.mtl`` and a ``.png`` file of the same name.
    mesh : TriangleMesh
        In camera axes, metres.
    axes : Axes, optional
        Axes of the file; without, those that readers of the format expect (`default_axes`).
    web : bool, optional
        Compress the texture of a ``.glb`` or ``.usdz`` so that the file takes 5 MB at most, if its triangles leave room
        for that.
    viewpoint : Viewpoint, optional
        The photo's camera, which a ``.glb`` holds beside the mesh, so that other programs can look through it.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the files are written at once and replace old ones.

    Raises
    ------
    OutputError
        A file cannot be written, the suffix is of no such format, an ``.obj`` has a blank in its name, or a vertex is
        not finite.

    Notes
    -----
    Formats: glTF 2.0 (Khronos), USDZ 1.3 (Pixar), Wavefront OBJ and MTL, PLY (Stanford), binary STL. Without a texture,
    ``.glb``, ``.usdz`` and ``.obj`` hold vertex colours.
    """
    path = Path(path)
    check_suffix(path, MESH_SUFFIXES, "a mesh")
    refuse_wild(mesh.vertices)
    axes = axes or default_axes(path)
    textured = mesh.texture is not None and mesh.uv is not None
    beside = companions(path) if textured else []
    with opened(outputs, [path, *beside]) as group:
        match path.suffix.lower():
            case ".glb":
                group.write(path, mesh_glb(mesh, axes, web=web, viewpoint=viewpoint))
            case ".usdz":
                group.write(path, usdz_bytes(mesh, axes, web=web))
            case ".ply":
                points, normals = in_axes(mesh.vertices, axes), in_axes(mesh.normals, axes)
                group.write(path, ply_bytes(points, normals, mesh.colors, mesh.triangles, mesh.made_up))
            case ".stl":
                group.write(path, stl_bytes(in_axes(mesh.vertices, axes), mesh.triangles))
            case ".obj":
                group.write(path, obj_pieces(mesh, axes, beside[0].name if beside else None))
                if mesh.texture is not None and beside:
                    material, texture = beside
                    write_image(texture, mesh.texture, outputs=group)
                    group.write(material, mtl_bytes(mesh, texture.name))


def write_cloud(
    path: StrPath,
    cloud: PointCloud,
    *,
    axes: Axes | None = None,
    viewpoint: Viewpoint | None = None,
    outputs: Outputs | None = None,
) -> None:
    """Write a point cloud. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.ply`` holds points, normals and colours; ``.glb`` points and colours.
    cloud : PointCloud
        In camera axes, metres.
    axes : Axes, optional
        As for `write_mesh`.
    viewpoint : Viewpoint, optional
        As for `write_mesh`.
    outputs : Outputs, optional
        As for `write_mesh`.

    Raises
    ------
    OutputError
        The file cannot be written, or the suffix is of no such format.

    Notes
    -----
    Formats: PLY (Stanford), glTF 2.0 (Khronos).
    """
    path = Path(path)
    check_suffix(path, CLOUD_SUFFIXES, "a point cloud")
    refuse_wild(cloud.points)
    axes = axes or default_axes(path)
    if path.suffix.lower() == ".glb":
        data = cloud_glb(cloud, axes, viewpoint=viewpoint)
    else:
        data = ply_bytes(in_axes(cloud.points, axes), in_axes(cloud.normals, axes), cloud.colors)
    with opened(outputs, [path]) as group:
        group.write(path, data)


def write_solid(path: StrPath, solid: PrintableSolid, *, outputs: Outputs | None = None) -> None:
    """Write a printable body. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        ``.stl``, which has no unit and is taken as millimetres by slicers, or ``.3mf``, which says millimetres and has
        the colours.
    solid : PrintableSolid
        The closed body.
    outputs : Outputs, optional
        As for `write_mesh`.

    Raises
    ------
    OutputError
        The file cannot be written, or the suffix is of no such format.

    Notes
    -----
    Formats: binary STL, 3MF Core Specification 1.3 with the Materials Extension 1.2.
    """
    path = Path(path)
    check_suffix(path, SOLID_SUFFIXES, "a print")
    refuse_wild(solid.vertices)
    stl = path.suffix.lower() == ".stl"
    with opened(outputs, [path]) as group:
        if stl:
            group.write(path, stl_bytes(solid.vertices, solid.triangles))
        else:
            group.write(path, threemf_bytes(solid.vertices, solid.triangles, solid.colors))
