"""Refuse photos that are no pair, or whose pose cannot be trusted, with the reason."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import StereoError, nothing_moved, param
from depthapps.engine.rectify.features import Matches
from depthapps.engine.rectify.fit import fit_rotation
from depthapps.engine.rectify.pose import Known, rotation_vector

FEWEST_INLIERS = 30
FEWEST_SHARE = 0.35  # of inliers among the matches
LEAST_TEXTURE = 0.3  # least textured share of the first photo
SAME_PX = 0.1  # the photos are the same if three quarters of the matches move less, in pixels of the matched copy
LEAST_PARALLAX = 1.5e-3  # as a share of the width


def check_matches(matches: Matches) -> None:
    """Raise StereoError if the photos have too few points in common, or are the same."""
    if matches.textured < LEAST_TEXTURE:
        raise StereoError(
            f"only {100 * matches.textured:.0f} % of the first photo has any texture to match",
            hint="leave out sky and bare walls; if the rows of the views line up already, "
            f"pass {param('rectify', 'never')}",
        )
    if len(matches.first) < FEWEST_INLIERS:
        raise _unrelated(f"only {len(matches.first)} points of the first are found in the second")
    moved = np.linalg.norm(matches.second - matches.first, axis=1)
    if np.percentile(moved, 75) < SAME_PX * matches.pixel_px:
        raise nothing_moved("the two photos are the same: nothing moved between them")


def check_share(inliers: int, matches: int) -> None:
    """Raise StereoError if too few of the matches agree on one pose."""
    if inliers < FEWEST_INLIERS or inliers < FEWEST_SHARE * matches:
        raise _unrelated(f"only {inliers} of {matches} points move as in two views of one scene")


def _unrelated(found: str) -> StereoError:
    return StereoError(
        f"the two photos do not show the same scene: {found}",
        hint="pass two photos of one scene that nothing moves in, taken a few centimetres apart",
    )


def check_parallax(first: NDArray[np.floating], second: NDArray[np.floating], known: Known, noise: float) -> float:
    """90th percentile in px of the motion left after the best rotation is undone; StereoError if it is too small."""
    turned = fit_rotation(first, second, known, noise)
    moved = np.linalg.norm(turned.turned_px(first, second), axis=1)
    parallax = float(np.percentile(moved, 90))
    least = max(2 * noise, LEAST_PARALLAX * known.size[0])
    if parallax < least:
        angle = math.degrees(float(np.linalg.norm(rotation_vector(turned.rotation))))
        how = f"turned by {angle:.1f} degrees but " if angle > 0.2 else ""
        raise StereoError(
            f"the camera {how}did not move between the photos: near and far things move alike, to {parallax:.1f} px",
            hint="step a few centimetres to the right for the second photo; turning the camera alone shows no depth",
        )
    return parallax
