"""Open a scene, the first step of all jobs: turn files or arrays into a picture with its depth and camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthapps.apps.camera import Cameras, calibration_facts, calibration_files, find_cameras, note_assumptions
from depthapps.apps.cutout import cut_out, opacity_of
from depthapps.apps.files import SceneFiles, refuse_of_pairs
from depthapps.apps.guess import with_guessed_depth
from depthapps.apps.inputs import Given, other_order, read_given
from depthapps.apps.journal import JobResult, Journal, Progress
from depthapps.apps.params import PathLike, SceneParams
from depthapps.apps.rectified import note_rectification
from depthapps.core.camera import Calibration
from depthapps.core.choices import Rectify
from depthapps.core.errors import InputError, StereoError, SwappedViewsError, param
from depthapps.core.geometry import depth_from_disparity, depth_from_inverse, disparity_from_depth, ray_lengths
from depthapps.core.scene import FloatMap, Image, PhotoPair, Scene
from depthapps.io.network import read_network
from depthapps.io.photos.metadata import Metadata, subject_m
from depthapps.runtime.memory import keep_freed_memory
from depthapps.surface.lift import lift_to_image

if TYPE_CHECKING:  # the engine is loaded where there is something to match
    from depthapps.engine.network import StereoNetwork
    from depthapps.engine.photo_match import PhotoMatch


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedScene(JobResult):
    """A scene, with the geometry, views and metadata that it was made from.

    Attributes
    ----------
    scene : Scene
        The picture, its depth in metres, its camera, and the confidence of the depth.
    calibration : Calibration
        The camera, baseline and offset of the disparity at infinity, which relate depth to disparity.
    disparity_px : (H, W) float32 array
        Disparity in pixels of the scene's picture, positive when nearer; NaN where unknown.
    metadata : Metadata
        EXIF, colour profile, range of samples and opacity of the photo, to be written into pictures made from it.
    depth_is_given : bool
        Whether the depth was read, or guessed by a network, and not computed from a disparity.
    views : tuple of two (H, W, 3) arrays, optional
        The rectified views that were matched, RGB; None if no views were matched.
    name : str
        The photo's name without its suffix; empty for an array.
    files : SceneFiles, optional
        What `open_scene` was given, and with which parameters.
    params : SceneParams, optional
    """

    scene: Scene
    calibration: Calibration
    disparity_px: FloatMap
    metadata: Metadata
    depth_is_given: bool
    views: tuple[Image, Image] | None = None
    name: str = ""
    files: SceneFiles | None = None
    params: SceneParams | None = None

    @property
    def in_metres(self) -> bool:
        """Whether the depth is really in metres, and does not rest on a guessed focal length or baseline."""
        return self.depth_is_given or not {"baseline", "focal length"} & set(self.calibration.assumed)

    def _repr_html_(self) -> str:
        """Show the scene in a notebook as its page."""
        from depthapps.apps.view import framed, make_page

        return framed(make_page(self))


def open_scene(
    image: PathLike | Image,
    right: PathLike | Image | None = None,
    params: SceneParams | None = None,
    *,
    depth: PathLike | FloatMap | None = None,
    disparity: PathLike | FloatMap | None = None,
    confidence: bool = True,
    metres_matter: bool = True,
    progress: Progress | None = None,
) -> OpenedScene:
    """Make a scene from two photos, from one file with both views or a depth, or from a photo and a map or a network.

    Parameters
    ----------
    image : path or (H, W, 3) array
        The left view; or one file with both views (MPO, spatial HEIC, or a picture with `params.layout`), or one with a
        depth inside (a phone's portrait); or any photo with `params.depth_network`. Arrays are RGB or grey: uint8 or
        uint16 sRGB, or float32 linear light. Samples that do not use the range of their type are stretched, both views
        alike.
    right : path or (H, W, 3) array, optional
        The right view.
    params : SceneParams, optional
        Calibration, rectification, kinds of maps, quality.
    depth, disparity : path or (h, w) array, optional
        Instead of the right view: a depth map, of the kind that `params.depth_kind` says, or a disparity map in pixels
        of the image. A depth map may be smaller than the image. Whole numbers are divided by `params.depth_scale` or
        `params.disparity_scale`, as in files.
    confidence : bool
        Also find the confidence of the depth of two views; with the fast quality that takes extra time.
    metres_matter : bool
        False leaves out the note that the camera was assumed, if the depth was given and has a known scale.
    progress : callable, optional
        Called with every `Note` and `Stage` as they happen.

    Returns
    -------
    OpenedScene

    Raises
    ------
    InputError
        A file cannot be read, or the files are not one picture with one depth.
    NetworkError
        A network or its description cannot be used, or what it gives is not what the description says.
    CalibrationError
        The calibration cannot be read or does not fit the picture.
    StereoError
        The two views do not make a depth map; the message says why.

    Notes
    -----
    Two views are matched by semi-global matching at two sizes (Hirschmüller 2008), plain surfaces are taken as planes,
    and a small network chooses among the results. Photos that are not rectified are rectified by feature points that
    both show. Small depth maps are enlarged so that their edges lie on the photo's edges. The focal length comes from
    the parameters, else from the calibration, the photo's own file, or its EXIF; else it is assumed, and a note says
    so.

    Examples
    --------
    >>> import depthapps as da
    >>> opened = da.open_scene("left.png", "right.png", da.SceneParams(calibration="calib.txt"))  # doctest: +SKIP
    >>> opened.scene.depth_m.shape  # doctest: +SKIP
    (672, 1008)
    """
    params = params or SceneParams()
    journal = Journal(progress)
    files = SceneFiles(image, right, depth, disparity)
    files.check(params)
    keep_freed_memory()
    given, cameras = _read(files, params, metres_matter, journal)
    if given.network is not None:
        given = with_guessed_depth(given, given.network, cameras.calibration.camera, params, journal)
    found = _from_views(params, given, cameras, confidence, journal) if given.right is not None else None
    found = found or _from_maps(given, cameras.calibration, journal)
    opacity = opacity_of(found.scene.image, given, journal)
    scene, disparity = cut_out(found.scene, found.disparity_px, opacity)
    known = scene.depth_m[np.isfinite(scene.depth_m)]
    journal.add(depth_range_m=[round(float(known.min()), 4), round(float(known.max()), 4)])
    return OpenedScene(
        scene=scene,
        calibration=found.calibration,
        disparity_px=disparity,
        metadata=replace(given.photo.metadata, alpha=opacity),
        depth_is_given=given.has_depth,
        views=found.views,
        name=files.name,
        files=files,
        params=params,
        **journal.told,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """A scene with its geometry, its disparity (H, W) in pixels, and the views that were matched, if any."""

    scene: Scene
    calibration: Calibration
    disparity_px: FloatMap
    views: tuple[Image, Image] | None = None


def _from_maps(given: Given, calibration: Calibration, journal: Journal) -> _Found:
    """Make the scene of a photo whose depth or disparity was given."""
    contents, depth, sigma_m = given.contents, given.depth_m, 0.0
    if given.along_rays and depth is not None:
        depth = depth / ray_lengths(calibration.camera)
    if contents.inverse_m is not None:
        inverse = contents.inverse_m
        if given.along_rays:
            inverse = inverse * ray_lengths(calibration.camera.scaled_to(*inverse.shape[::-1]))
        with journal.stage("lifting"):
            # a depth as large as the photo was enlarged by the phone or the network that made it
            depth = depth_from_inverse(
                lift_to_image(inverse, given.photo.image, blurred=given.enlarged, sigma=contents.sigma_m)
            )
        sigma_m = contents.sigma_m
    if depth is None:
        assert given.disparity_px is not None
        depth = depth_from_disparity(given.disparity_px, calibration)
        if not np.isfinite(depth).any():
            raise InputError(
                "no disparity lies before infinity: all are negative or none is known",
                hint=f"{param('invert', True)} changes their sign; {param('doffs_px')} tells where infinity lies",
            )
    scene = Scene(given.photo.image, depth, calibration.camera, sigma_m)
    disparity = disparity_from_depth(depth, calibration) if given.disparity_px is None else given.disparity_px
    return _Found(scene, calibration, disparity)


def _read(files: SceneFiles, params: SceneParams, metres_matter: bool, journal: Journal) -> tuple[Given, Cameras]:
    """What was given, read, and its cameras; tells the facts and the notes about both."""
    with journal.stage("reading"):
        given = read_given(files, params)
        if given.right is None:  # the photo holds a depth, no second view
            refuse_of_pairs(params)
        for note in (*given.contents.notes, *given.notes):
            journal.note(note)
        cameras = find_cameras(params, given, journal, files.photo_names)
    calibrations = [str(path) for path in calibration_files(params.calibration)]
    journal.add(
        inputs=files.named() | ({"calibration": calibrations} if calibrations else {}),
        size=[cameras.calibration.camera.width, cameras.calibration.camera.height],
        calibration=calibration_facts(cameras.calibration),
    )
    by_focal = given.along_rays or (given.network is not None and given.network.needs_focal)
    if metres_matter or not given.has_depth or not given.contents.scaled or by_focal:
        note_assumptions(cameras.calibration, journal)
    return given, cameras


def _from_views(params: SceneParams, given: Given, cameras: Cameras, confidence: bool, journal: Journal) -> _Found:
    """Make the scene of two views by matching them."""
    from depthapps.engine.match import DISPARITY_SIGMA

    with journal.stage("matching"):
        photos = _match(params, given, cameras, confidence)
    image, calibration, match = photos.image, photos.calibration, photos.match
    journal.add(
        matcher="builtin" if params.matcher is None else str(params.matcher),
        calibration=calibration_facts(calibration),
        size=[image.shape[1], image.shape[0]],
        disparity_range_px=[round(v, 1) for v in match.range_px],
    )
    note_rectification(photos, journal)
    if params.doffs_px and photos.rectification is not None:
        journal.note(f"{param('doffs_px')} is not used: where infinity lies was found while the photos were rectified")
    if match.confidence is not None:
        journal.add(mean_confidence=round(float(match.confidence.mean()), 3))
    sigma_m = DISPARITY_SIGMA * calibration.camera.width / (calibration.camera.fx * calibration.baseline_m)
    depth = depth_from_disparity(match.disparity_px, calibration)
    scene = Scene(image, depth, calibration.camera, sigma_m, match.confidence, photos.second)
    return _Found(scene, calibration, match.disparity_px, photos.views)


def _match(params: SceneParams, given: Given, cameras: Cameras, confidence: bool) -> PhotoMatch:
    """Match the two views, after rectifying them if parameters or calibration ask for it."""
    from depthapps.engine.match_photos import match_photos

    assert given.right is not None
    try:
        return match_photos(
            PhotoPair(given.photo.image, given.right, cameras.calibration),
            params.quality,
            _network(params),
            rectify=params.rectify,
            frame=params.frame,
            rig=cameras.rig,
            order_known=given.order_known,
            infinity_known=cameras.infinity_known,
            confidence=confidence,
            second_focal_px=cameras.second_focal_px,
            subject_m=subject_m(given.photo.metadata),
            side_px=params.matched_side_px,
        )
    except SwappedViewsError as error:
        if given.right_metadata is not None:
            raise
        raise SwappedViewsError(error.message, hint=other_order(given, error.doffs_px)) from None
    except StereoError as error:
        if cameras.rig is None or params.rectify is Rectify.NEVER:
            raise
        hint = "the calibration is of views as the cameras took them: "
        raise StereoError(
            error.message, hint=f"{hint}pass {param('rectify', Rectify.NEVER)} if these are rectified"
        ) from None


def _network(params: SceneParams) -> StereoNetwork | None:
    """Read the network to match with; None for the built-in matcher."""
    from depthapps.engine.network import StereoNetwork
    from depthapps.engine.network_description import NetworkDescription

    if params.matcher is None or isinstance(params.matcher, StereoNetwork):
        return params.matcher
    model, entries = read_network(Path(params.matcher))
    return StereoNetwork(model, NetworkDescription.from_json(entries))
