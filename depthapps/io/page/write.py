"""Join the page's code, a scene or a model, and what its user may take away, into one HTML file; write it."""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from importlib import resources
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthapps.core.models import PointCloud
from depthapps.io.formats import VIEWER_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.models.axes import refuse_wild
from depthapps.io.outputs import Outputs, check_suffix, opened
from depthapps.io.page.contents import LARGEST_OFFSET, PageContents, PageHidden, PageModel, PagePhoto
from depthapps.io.page.pack import (
    GUESSED,
    STEPS,
    jpeg,
    lossless,
    numbers,
    pack_confidence,
    pack_inverse,
    photo_and_hidden,
)

SCRIPTS = (
    "maths", "gpu", "pace", "data", "lens", "refocus", "light", "relight", "orbit", "tilt", "grid", "turn", "measure",
    "recipe", "controls", "stage", "app",
)  # fmt: skip
"""Names of the page's scripts, in the order in which they build on each other."""

_CHARACTERS = 3.85  # of a photo with its maps for each pixel: 4 MB a megapixel with the page's own code, which is 90 kB
_CONTINUED, _OVERLAPPING = 255, 127  # marks of what is hidden: apart from the photo's surface, and close behind it
_EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def write_page(path: StrPath, contents: PageContents, *, outputs: Outputs | None = None) -> None:
    """Write a page. The file appears only when it is whole.

    Parameters
    ----------
    path : str or PathLike
        An ``.html`` file.
    contents : PageContents
    outputs : Outputs, optional
        The group of files that this one belongs to. Without it the file is written at once and replaces an old one.

    Raises
    ------
    OutputError
        The file cannot be written, or has another suffix.
    """
    check_suffix(path, VIEWER_SUFFIXES, "a page")
    text = page_html(contents)
    with opened(outputs, [path]) as group:
        group.write(path, text.encode())


def page_html(contents: PageContents) -> str:
    """Make the HTML text that `write_page` writes: one page with everything inside."""
    what = contents.what
    title = contents.title.encode("utf-8", "replace").decode()  # a file's name may be no UTF-8
    data = {"title": title, "mode": contents.mode, "style": contents.style, "recipe": asdict(contents.recipe)}
    if isinstance(what, PagePhoto):
        picture, data["photo"] = _photo(what)
    else:
        picture, data["model"] = _EMPTY_PICTURE, _model(what)
    scripts = [f"const SHADERS = {_json(_shaders())};", *(asset(f"{name}.js") for name in SCRIPTS)]
    return Template(asset("page.html")).substitute(
        TITLE=html.escape(title),
        STYLE=asset("page.css"),
        PICTURE=picture,
        DATA=_json(data),
        SCRIPT="\n".join(scripts),
    )


def asset(name: str) -> str:
    """The text of one of the page's own files."""
    return resources.files("depthapps.io.page").joinpath("assets", name).read_text(encoding="utf-8")


def _shaders() -> dict[str, str]:
    folder = resources.files("depthapps.io.page").joinpath("assets")
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith((".vert", ".frag", ".glsl")))
    return {name: asset(name) for name in found}


def _json(data: Any) -> str:
    """JSON that may stand in a script: no text in it can end the script, or begin a comment of HTML."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _photo(photo: PagePhoto) -> tuple[str, dict[str, Any]]:
    """A photo's picture, which stands in the page itself, and the rest as the page's scripts read it."""
    there = [~np.isnan(layer.inverse_m) for layer in photo.hidden]
    colors = [(layer.color, mask) for layer, mask in zip(photo.hidden, there, strict=True)]
    hidden = [_hidden(layer, mask) for layer, mask in zip(photo.hidden, there, strict=True)]
    data, pictures = _maps(photo) | {"hidden": hidden}, [""]
    for tolerance, qualities in STEPS:
        data["depth"] = pack_inverse(photo.inverse_m, pack_confidence(photo.confidence), tolerance)
        left = round(_CHARACTERS * max(photo.inverse_m.size, 1e6)) - len(_json(data))
        pictures = photo_and_hidden(photo.image, colors, qualities, left)
        if sum(map(len, pictures)) <= left:
            break
    data["hidden"] = [{**layer, "color": color} for layer, color in zip(hidden, pictures[1:], strict=True)]
    return pictures[0], data


def _hidden(layer: PageHidden, there: NDArray[np.bool_]) -> dict[str, Any]:
    """The 1/Z and the marks of a hidden layer that is there in a mask (H, W)."""
    marks = np.where(there, np.where(layer.continued, _CONTINUED, _OVERLAPPING), 0).astype(np.uint8)
    return pack_inverse(layer.inverse_m, marks, GUESSED)


def _maps(photo: PagePhoto) -> dict[str, Any]:
    """The numbers of a photo, and its maps that are small."""
    facing = np.nan_to_num(photo.normals, nan=0.0)
    surface = np.dstack([(facing[..., :2] + 1) / 2, photo.offset / LARGEST_OFFSET])[::2, ::2]
    thickness = np.rint(255 * photo.thickness).astype(np.uint8)
    lamps = np.rint(255 * photo.lamps).astype(np.uint8)
    return {
        "width": photo.camera.width, "height": photo.camera.height, "fullWidth": photo.full_width,
        "camera": {name: getattr(photo.camera, name) for name in ("fx", "fy", "cx", "cy")},
        "surface": lossless(np.rint(255 * surface).astype(np.uint8)), "largestOffset": LARGEST_OFFSET,
        "solid": pack_inverse(photo.solid_inverse_m[::2, ::2], thickness[::2, ::2], STEPS[0][0]),
        "lamps": lossless(lamps) if lamps.any() else None,
        "sigma": photo.sigma, "inMetres": photo.in_metres, "baseline": photo.baseline_m,
        "lens": asdict(photo.lens), "light": None if photo.light is None else asdict(photo.light),
    }  # fmt: skip


def _model(model: PageModel) -> dict[str, Any]:
    """A mesh or a cloud as the page's scripts read it."""
    shape, camera = model.shape, model.camera
    cloud = isinstance(shape, PointCloud)
    points = shape.points if cloud else shape.vertices
    refuse_wild(points)
    data = {
        "width": camera.width, "height": camera.height,
        "camera": {name: getattr(camera, name) for name in ("fx", "fy", "cx", "cy")},
        "positions": numbers(points.astype(np.float32)),
        "colors": numbers(shape.colors),
    }  # fmt: skip
    if not cloud:
        data["triangles"] = numbers(shape.triangles.astype(np.uint32))
        if shape.uv is not None and shape.texture is not None:
            data |= {"uv": numbers(shape.uv.astype(np.float32)), "texture": jpeg(shape.texture)}
    return data
