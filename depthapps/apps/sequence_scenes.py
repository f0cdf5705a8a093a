"""Open the views of a sequence as scenes, and keep them on disk while they are needed twice."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from depthapps.apps.journal import Journal
from depthapps.apps.params import SceneParams
from depthapps.apps.scene import open_scene
from depthapps.core.errors import DepthappsError, InputError, NoDepthError, StereoError, param
from depthapps.core.levels import stretched
from depthapps.core.scene import Scene
from depthapps.io.maps.read import read_depth
from depthapps.io.photos.images import read_image
from depthapps.io.sequences import Sequence, SequenceFrame

_MOST_KEPT = 4 << 30  # bytes of scenes kept on disk while poses are found; views beyond that are read again


class SequenceScenes:
    """Opens the views of a sequence as scenes, one at a time.

    With a folder, up to _MOST_KEPT bytes of scenes are kept in it, so that a view that is asked for again is not
    matched twice. The facts and notes of the first opened view are passed to the journal.

    empty: the views whose depth map turned out to have no value at all, by their places.
    """

    def __init__(self, sequence: Sequence, params: SceneParams, journal: Journal, folder: Path | None) -> None:
        self._sequence, self._params, self._journal, self._folder = sequence, params, journal, folder
        self._kept = 0
        self._opened = False  # whether a view was opened: what is given for all of them is right then
        self.empty: set[int] = set()

    def of(self, places: list[int], stage: str) -> Iterator[tuple[int, Scene]]:
        """Yield the views at these places of the sequence, each place with its scene, as a stage of the journal.

        A view without any depth, as a lens cap gives it, is left out. Raises NoDepthError if no view has one. Errors
        that are about one view name it.
        """
        for k in self._journal.steps(places, len(places), stage):
            try:
                scene = self._scene(k)
            except NoDepthError:
                self.empty.add(k)
                if len(self.empty) == len(self._sequence.views):
                    raise
                continue
            except DepthappsError as error:
                self._name(self._sequence.views[k], error)
                raise
            self._opened = True
            yield k, scene

    def _name(self, view: SequenceFrame, error: DepthappsError) -> None:
        """Name the files of a view in an error about it that names neither: two photos, say, that do not match."""
        files = [str(path) for path in view[:3] if path is not None]
        of_pair = isinstance(error, StereoError)
        if (of_pair or self._opened) and not any(file in error.message for file in files):
            error.tell_of(" and ".join(files), also="or take the two out of the folder" if of_pair else "")

    def _scene(self, k: int) -> Scene:
        path = self._folder / f"{k}.pickle" if self._folder else None
        if path and path.exists():
            return pickle.loads(path.read_bytes())
        scene = self._made(self._sequence.views[k])
        if path and self._kept < _MOST_KEPT:
            self._keep(scene, path)
        return scene

    def _keep(self, scene: Scene, path: Path) -> None:
        """Write a scene to the temporary folder; if that is full, nothing more is kept and views are opened again."""
        part = path.with_suffix(".part")
        try:
            self._kept += part.write_bytes(pickle.dumps(scene, pickle.HIGHEST_PROTOCOL))
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            self._kept = _MOST_KEPT

    def _made(self, view: SequenceFrame) -> Scene:
        params = self._params
        if view.depth is not None:
            own = self._sequence.depth_scale
            if params.depth_scale is None and own:
                params = replace(params, depth_scale=own)
            by_hand = any(v is not None for v in (params.calibration, params.focal_px, params.fov_deg))
            if self._sequence.camera_matrix is not None and not by_hand:
                return self._of_camera(view.image, view.depth, params.depth_scale)
        opened = open_scene(view.image, view.right, params, depth=view.depth)
        if not self._opened:
            self._journal.add(**opened.facts)
            for note in opened.notes:
                self._journal.note(note.raw)
        return opened.scene

    def _of_camera(self, image_path: Path, depth_path: Path, scale: float | None) -> Scene:
        """Open a view with the sequence's own camera, which is the camera of its depth maps."""
        image, depth = stretched(read_image(image_path)), read_depth(depth_path, scale, invert=self._params.invert)
        height, width = depth.shape
        if image.shape[:2] != depth.shape:
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
        camera = self._sequence.camera(width, height)
        if camera is None or not (0 < camera.cx < width and 0 < camera.cy < height):
            raise InputError(
                f"the camera of the sequence does not fit its depth of {width}x{height}",
                hint=f"give {param('calibration')} or {param('focal_px')}",
            )
        return Scene(image, depth, camera)
