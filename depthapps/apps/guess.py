"""Let a network guess the depth of one photo, and bring its guess to metres."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthapps.apps.inputs import Given
from depthapps.apps.journal import Journal
from depthapps.apps.params import SceneParams
from depthapps.core.camera import Camera
from depthapps.core.choices import DepthKind
from depthapps.core.scene import FloatMap
from depthapps.io.maps.meaning import Meaning, depth_of
from depthapps.io.maps.numbers import RawMap

if TYPE_CHECKING:
    from depthapps.engine.depth_network import DepthNetwork

_ENDS_PERCENT = (0.5, 99.5)  # percentiles that stand for the nearest and farthest, as few samples are wild
# Share of the range of 1/Z by which the top of a photo has to be nearer than its bottom to be told. The rule is ground
# at the bottom and something farther at the top; pictures of a wall, or from above, lie about 0.
_TURNED = 0.25


def with_guessed_depth(
    given: Given, network: DepthNetwork, camera: Camera, params: SceneParams, journal: Journal
) -> Given:
    """The photo with the depth that its network guesses. Raises NetworkError.

    What has no metres is spread between two depths as maps of such depth are: from ASSUMED_NEAR_M to ASSUMED_FAR_M, or
    from `params.near_m` to `params.far_m`, inverse depth evenly in 1/Z and affine depth evenly in Z.
    """
    with journal.stage("guessing"):
        found = network.find(given.photo.image, camera.fx)
    inverse = _inverse_m(found, network.gives, params)
    path = params.depth_network
    name = Path(path).name if isinstance(path, (str, os.PathLike)) else "the network"
    journal.add(
        depth_network={
            "file": "object" if path is network else str(path),
            "gives": network.gives,
            "map_size": [found.shape[1], found.shape[0]],
        }
    )
    journal.note(f"{name} guessed the depth from one photo: nothing was measured, so shapes are a guess too")
    if _top_is_nearer(inverse):
        journal.note(
            "the top of the photo came out nearer than its bottom: if that is wrong, check "
            '"gives" and "sign" in the description of the network'
        )
    return replace(given, contents=replace(given.contents, inverse_m=inverse))


def _inverse_m(found: FloatMap, gives: str, params: SceneParams) -> FloatMap:
    """1/Z (h, w) in 1/m of what a network gave."""
    if gives == "metric":
        return (1 / found).astype(np.float32)
    kind = DepthKind.AFFINE_INVERSE if gives == "inverse" else DepthKind.AFFINE
    raw = RawMap(found, "the depth that the network guessed")
    return depth_of(raw, Meaning(kind, near_m=params.near_m, far_m=params.far_m)).values


def _top_is_nearer(inverse_m: FloatMap) -> bool:
    """Whether the upper quarter of a map of 1/Z is clearly nearer than the lower one."""
    rows = max(inverse_m.shape[0] // 4, 1)
    top, bottom = (part[np.isfinite(part)] for part in (inverse_m[:rows], inverse_m[-rows:]))
    if not top.size or not bottom.size:
        return False
    low, high = np.nanpercentile(inverse_m, _ENDS_PERCENT)
    return bool(np.median(top) - np.median(bottom) > _TURNED * (high - low))
