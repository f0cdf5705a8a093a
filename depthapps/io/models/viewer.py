"""Show a model on one web page that opens from disk, without a network."""

from __future__ import annotations

import base64
import html
import json
import math
from importlib import resources
from string import Template

import numpy as np

from depthapps.core.camera import Camera
from depthapps.core.models import PointCloud, TriangleMesh
from depthapps.io.formats import VIEWER_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.models.axes import refuse_wild
from depthapps.io.models.glb import cloud_glb, mesh_glb
from depthapps.io.outputs import Outputs, check_suffix, opened

VIEWER_POINTS = 400_000  # 9 MB of page, which a laptop without a GPU loads in about a second and still turns
_OWN_CODE_OF_TRIMESH = "var camera,controls,scene"  # starts behind three.js, its controls and its glTF loader


def write_viewer(
    path: StrPath,
    model: TriangleMesh | PointCloud,
    camera: Camera,
    title: str,
    *,
    outputs: Outputs | None = None,
) -> None:
    """Write a web page that shows a model and lets one turn it. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        An ``.html`` file.
    model : TriangleMesh or PointCloud
        In camera axes, metres. Browsers without a GPU turn some 80 000 triangles or VIEWER_POINTS points.
    camera : Camera
        The photo's; the page first shows what it saw.
    title : str
        Title of the page.
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    OutputError
        The file cannot be written, or has another suffix.
    """
    check_suffix(path, VIEWER_SUFFIXES, "a viewer page")
    refuse_wild(model.points if isinstance(model, PointCloud) else model.vertices)
    with opened(outputs, [path]) as group:
        group.write(path, viewer_page(model, camera, title).encode())


def viewer_page(model: TriangleMesh | PointCloud, camera: Camera, title: str) -> str:
    """Make the HTML text that `write_viewer` writes.

    Parameters
    ----------
    model, camera, title
        As for `write_viewer`.

    Returns
    -------
    str
        One page with everything inside: the model as GLB, and three.js, which comes with the trimesh package.
    """
    cloud = isinstance(model, PointCloud)
    points = model.points if cloud else model.vertices
    distance = float(np.median(points[:, 2])) if cloud else _typical_depth(model)
    # the view stands where the photo's camera stood and looks at what lies in the middle of the photo
    middle = ((camera.width - 1) / 2 - camera.cx) / camera.fx, ((camera.height - 1) / 2 - camera.cy) / camera.fy
    view = {
        "fovDeg": math.degrees(2 * math.atan(camera.height / 2 / camera.fy)),
        "aspect": camera.width / camera.height,
        "target": [middle[0] * distance, -middle[1] * distance, -distance],
        "near": float(points[:, 2].min()) / 20,
        "far": float(points[:, 2].max()) * 20,
        "rows": math.sqrt(len(points) * camera.height / camera.width),  # if the points were the pixels of a picture
    }
    glb = cloud_glb(model) if cloud else mesh_glb(model, web=True)
    title = title.encode("utf-8", "replace").decode()  # a file's name may be no UTF-8
    page = Template(resources.files("depthapps.io.models").joinpath("viewer.html").read_text(encoding="utf-8"))
    return page.substitute(
        TITLE=html.escape(title), THREE=_three_js(), MODEL=base64.b64encode(glb).decode("ascii"), VIEW=json.dumps(view)
    )


def _typical_depth(mesh: TriangleMesh) -> float:
    """Median depth in metres over the picture that a mesh fills; how finely its parts are divided does not matter."""
    ahead = mesh.triangles[(mesh.vertices[:, 2] > 0)[mesh.triangles].all(axis=1)]
    if not len(ahead):  # all of it lies behind the camera
        return float(np.median(mesh.vertices[:, 2]))
    corners = mesh.vertices[ahead]
    (ax, ay), (bx, by), (cx, cy) = (corners[:, k, :2].T / corners[:, k, 2] for k in range(3))
    area = np.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))
    depth = corners[:, :, 2].mean(axis=1)
    order = np.argsort(depth)
    below = np.cumsum(area[order])
    return float(depth[order][np.searchsorted(below, below[-1] / 2)])


def _three_js() -> str:
    """three.js with its trackball controls and glTF loader, cut out of the page that trimesh makes."""
    import trimesh
    from trimesh.viewer import scene_to_html

    page = scene_to_html(trimesh.Scene(trimesh.creation.box()))
    return page[page.index("<script>") + len("<script>") : page.index(_OWN_CODE_OF_TRIMESH)]
