"""Pictures that do not lie on their depth are found out, and laid on it."""

from __future__ import annotations

from dataclasses import astuple, replace

import cv2
import numpy as np
import pytest
from test_mesh_fuse import CAMERA, POSES, view

from depthapps import Fused, FuseParams
from depthapps.scan.color_camera import ColorCamera, find_color_camera
from depthapps.scan.fuse import fuse_views
from depthapps.scan.paint import PlacedView


@pytest.fixture(scope="module")
def fused() -> Fused:
    return fuse_views(((view(p), p) for p in POSES), FuseParams(voxel_m=0.02))


def taken_by(camera: ColorCamera, view: PlacedView) -> PlacedView:
    """The view with the picture that another camera, without a distance to the first one, would take of it."""
    middle = np.array([view.camera.cx, view.camera.cy])
    shift = np.array([camera.right, camera.down]) * view.camera.width
    there = np.column_stack([camera.scale * np.eye(2), middle + shift - camera.scale * middle])
    size = view.image.shape[1::-1]
    return replace(
        view, image=cv2.warpAffine(view.image, there, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


@pytest.mark.parametrize("camera", [ColorCamera(0.9, 0.01, -0.006), ColorCamera(1.1), ColorCamera(1, -0.02, 0.02)])
def test_another_camera_is_found_by_its_colours(fused, camera):
    views = tuple(taken_by(camera, view) for view in fused.seen_by)
    found = find_color_camera(fused.mesh, views, fused.voxel_m)
    assert found is not None
    first = views[0]
    x, y = (v.ravel() for v in np.meshgrid(*(np.linspace(0.2, 0.8, 5) * n for n in first.image.shape[1::-1])))
    depth_m = np.full(x.shape, np.median(first.depth_m[first.depth_m > 0]))
    off = np.subtract(found.places(x, y, depth_m, first), camera.places(x, y, depth_m, first))
    assert np.median(np.abs(off)) < 0.5
    laid, before = found.laid(first).image.astype(float), fused.seen_by[0].image.astype(float)
    inner = (slice(CAMERA.height // 5, -CAMERA.height // 5), slice(CAMERA.width // 5, -CAMERA.width // 5))
    assert np.abs(laid - before)[inner].mean() < 0.5 * np.abs(first.image - before)[inner].mean()


def test_pictures_that_lie_on_their_depth_stay(fused):
    assert fused.color_camera is None
    assert find_color_camera(fused.mesh, fused.seen_by, fused.voxel_m) is None


def test_two_views_tell_nothing(fused):
    views = tuple(taken_by(ColorCamera(0.9), view) for view in fused.seen_by[:2])
    assert find_color_camera(fused.mesh, views, fused.voxel_m) is None


def test_a_view_that_shares_no_points_has_no_say(fused):
    """It stands in another room, or looks back; its own picture would tell another camera."""
    views = tuple(taken_by(ColorCamera(0.9, 0.01, -0.006), view) for view in fused.seen_by)
    expected = find_color_camera(fused.mesh, views, fused.voxel_m)
    aside, back = np.eye(4), np.diag([-1.0, 1, -1, 1])
    aside[0, 3] = 5
    for to_camera in (aside, back):
        stranger = replace(fused.seen_by[0], to_camera=to_camera)
        found = find_color_camera(fused.mesh, (*views, stranger), fused.voxel_m)
        assert found is not None
        assert expected is not None
        assert astuple(found) == pytest.approx(astuple(expected), abs=1e-3)
