"""Make the page of a scene or a model: one HTML file in which a photo with its depth is alive."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from depthapps.apps.files import SceneFiles, is_path
from depthapps.apps.first_view import page_lens, page_light, usual_lens
from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.apps.model import Model
from depthapps.apps.params import TURN_DEG, PathLike, SceneParams
from depthapps.apps.scene import OpenedScene
from depthapps.apps.shrink import shrunk_scene
from depthapps.bokeh.highlights import find_lamps
from depthapps.bokeh.params import BokehParams
from depthapps.core.choices import PageMode, TurnStyle, chosen
from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError
from depthapps.core.scene import FloatMap, Image, Scene, check_scene
from depthapps.io.outputs import Outputs
from depthapps.io.page.contents import LARGEST_OFFSET, PageContents, PageHidden, PageLight, PageModel, PagePhoto, Recipe
from depthapps.io.page.write import page_html
from depthapps.io.page.write import write_page as write_contents
from depthapps.io.photos.profiles import in_srgb
from depthapps.mesh.layers import photo_layers
from depthapps.shadow.params import Light, LitBy, RelightParams
from depthapps.shadow.shading import steady_confidence
from depthapps.shadow.solid import build_lit_solid
from depthapps.surface.noise import inverse_depth_noise

LARGEST_SIDE = 2048  # pixels: the largest texture that every browser with WebGL 2 takes
_FRAME_HEIGHT_PX = 640  # of a page in a notebook


@dataclass(frozen=True, eq=False, kw_only=True)
class Page(JobResult):
    """A page that `write_page` writes, and that a notebook shows."""

    contents: PageContents

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        return framed(self)


def make_page(
    what: OpenedScene | Scene | Model,
    mode: PageMode = PageMode.TURN,
    *,
    title: str = "",
    style: TurnStyle = TurnStyle.SURFACE,
    command: str = "",
    lens: BokehParams | None = None,
    light: LitBy | Light | None = None,
    relighting: RelightParams | None = None,
    progress: Progress | None = None,
) -> Page:
    """Make a page to refocus, relight, turn and measure a scene, or to turn a model.

    Parameters
    ----------
    what : OpenedScene, Scene or Model
        A scene alone is taken to be in metres. A model can only be turned.
    mode : PageMode
        In which the page opens.
    title : str
        Title of the page; the name of the photo if it is empty.
    style : TurnStyle
        How the page first draws what is turned; a point cloud has no surface.
    command : str
        Arguments of the command line that open this scene, for the commands that the page shows; "" shows none.
    lens : BokehParams, optional
        The lens and the focus that the page shows first; None focuses on the subject.
    light : LitBy or Light, optional
        The light that it shows first; None is the usual sun. A spot is shown as a lamp without its beam.
    relighting : RelightParams, optional
        Of which the page takes the light from the sky.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    Page

    Raises
    ------
    InputError
        `what` is neither a scene nor a model, or the depth at the focus of `lens` is unknown.

    Notes
    -----
    The page has the photo as a JPEG, a guess of what is hidden behind near things, and 1/Z as `make_model` has it,
    completed where it is unknown or doubtful and without noise; it is packed in 16 bits, off by 0.01 % of the depth at
    most, or by 0.05 % where the page would else exceed 4 MB a megapixel. The page uses the lens of `refocus` and the
    lights of `relight`, computed on the GPU.

    Examples
    --------
    >>> import depthapps as da
    >>> da.write_page("table.html", da.make_page(opened))  # doctest: +SKIP
    """
    mode, style = chosen(PageMode, mode, "mode"), chosen(TurnStyle, style, "style")
    journal = Journal(progress)
    with journal.stage("page"):
        if isinstance(what, Model):
            shape, differs = what.for_page
            if differs:
                journal.note(f"the page {differs}, for the browser's sake")
            contents = PageContents(PageModel(shape, what.camera), title, PageMode.TURN, style)
        else:
            opened = what if isinstance(what, OpenedScene) else None
            lit = None if light is None else page_light(light, relighting or RelightParams(), journal)
            photo = _photo(what.scene if isinstance(what, OpenedScene) else what, opened, lens, lit, journal)
            recipe = Recipe(command, _python(opened)) if opened else Recipe()
            contents = PageContents(photo, title or (opened.name if opened else ""), mode, style, recipe)
    return Page(contents=contents, **journal.told)


def write_page(path: PathLike, page: Page, *, outputs: Outputs | None = None) -> None:
    """Write a page to an HTML file, which needs no network and no other file.

    Parameters
    ----------
    path : path
        A file that ends in .html.
    page : Page
    outputs : Outputs, optional
        The group of files that the page belongs to; None replaces a file of that name.

    Raises
    ------
    OutputError
        The file cannot be written, or has another suffix.
    """
    if not isinstance(page, Page):
        raise InputError(f"a Page is wanted, {type(page).__name__} was given", hint="make_page makes one")
    write_contents(path, page.contents, outputs=outputs)


def framed(page: Page) -> str:
    """A page as HTML in a frame of its own, as notebooks show it."""
    import html

    text = html.escape(page_html(page.contents))
    return f'<iframe srcdoc="{text}" style="width:100%;height:{_FRAME_HEIGHT_PX}px;border:0" allowfullscreen></iframe>'


def _photo(
    whole: Scene, opened: OpenedScene | None, lens: BokehParams | None, light: PageLight | None, journal: Journal
) -> PagePhoto:
    """The layers of a scene that the page shows."""
    check_scene(whole)
    if opened is not None and opened.metadata.icc:
        try:
            whole = replace(whole, image=in_srgb(to_8bit(whole.image), opened.metadata.icc))
        except InputError as error:
            journal.note(f"{error}: the page shows its colours as if they were sRGB")
    full_width, scene = whole.camera.width, _reduced(whole)
    if scene.camera.width < full_width:
        size = f"{scene.camera.width}x{scene.camera.height}"
        journal.note(f"the page shows the photo at {size} px, which every browser can take")
    layers, solid = photo_layers(scene, TURN_DEG), build_lit_solid(scene)
    steady = steady_confidence(scene)
    sure = np.ones(scene.depth_m.shape, np.float32) if steady is None else np.clip(steady, 0, 1)
    width = scene.camera.width
    first = usual_lens(whole, width, journal) if lens is None else page_lens(whole, lens, width, journal)
    journal.add(page_size=[scene.camera.width, scene.camera.height])
    return PagePhoto(
        image=to_8bit(scene.image),
        inverse_m=layers.inverse_m,
        confidence=np.where(np.isnan(scene.depth_m), np.float32(np.nan), sure),
        hidden=(PageHidden(*layers.hidden[0]), PageHidden(*layers.hidden[1])),
        normals=solid.normals,
        solid_inverse_m=solid.front,
        thickness=np.clip(solid.back / np.maximum(solid.front, np.float32(1e-12)), 0, 1),
        offset=_share_of_depth(solid.offset_m, layers.inverse_m),
        lamps=_lamps(scene.image),
        camera=scene.camera,
        sigma=max(scene.inverse_depth_sigma, inverse_depth_noise(scene.depth_m)),
        in_metres=opened is None or opened.in_metres,
        baseline_m=None if opened is None or opened.depth_is_given else opened.calibration.baseline_m,
        lens=first,
        light=light,
        full_width=full_width,
    )


def _reduced(scene: Scene) -> Scene:
    """The scene at a size that every browser takes."""
    scale = LARGEST_SIDE / max(scene.depth_m.shape)
    height, width = (max(1, round(scale * side)) for side in scene.depth_m.shape)
    return shrunk_scene(scene, width, height) if scale < 1 else scene


def _share_of_depth(offset_m: FloatMap, inverse_m: FloatMap) -> FloatMap:
    """A distance (H, W) above the surface in metres as a share of its depth, 0 where that is infinite or unknown."""
    finite = np.where(inverse_m > 0, np.nan_to_num(offset_m, nan=0.0), np.float32(0))
    return np.clip(finite * inverse_m, 0, np.float32(LARGEST_OFFSET))


def _lamps(image: Image) -> FloatMap:
    """Hue times share (H, W, 3) of the clipped lamps in a picture."""
    lamps = np.zeros(image.shape, np.float32)
    for lamp in find_lamps(image):
        lamps[lamp.window][lamp.spot] = lamp.share * lamp.hue
    return lamps


def _python(opened: OpenedScene) -> str:
    """The expression of Python that opens a scene again; empty if it does not come from files alone."""
    files, params = opened.files, opened.params
    if files is None or params is None:
        return ""
    given = {f.name: value for f in fields(SceneFiles) if (value := getattr(files, f.name)) is not None}
    changed = {
        f.name: value for f in fields(SceneParams) if (value := getattr(params, f.name)) != getattr(SceneParams, f.name)
    }
    if not all(map(is_path, given.values())) or not all(map(_plain, changed.values())):
        return ""
    places = [repr(str(given.pop("image"))), *([repr(str(given.pop("right")))] if "right" in given else [])]
    if changed:
        named = ", ".join(f"{name}={_literal(value)}" for name, value in changed.items())
        places.append(f"params=da.SceneParams({named})")
    places += [f"{name}={str(path)!r}" for name, path in given.items()]
    return f"da.open_scene({', '.join(places)})"


def _plain(value: object) -> bool:
    """Whether a parameter can be written as Python: numbers, words, paths, and lists of them."""
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return is_path(value) or isinstance(value, (bool, int, float))


def _literal(value: object) -> str:
    if isinstance(value, (list, tuple)):
        if len(value) == 1:  # one calibration file, as the command line hands it over
            return _literal(value[0])
        return f"[{', '.join(map(_literal, value))}]"
    return repr(str(value)) if is_path(value) else repr(value)
