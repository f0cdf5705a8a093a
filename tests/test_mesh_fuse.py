"""Views of a known room, fused with their poses and without."""

from __future__ import annotations

import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from depthapps import Camera, FuseParams, InputError, Scene, TriangleMesh
from depthapps.scan.field import DistanceField
from depthapps.scan.fuse import fuse_views, simplify_mesh
from depthapps.scan.register import estimate_poses

CAMERA = Camera.centred(240, 180, 220.0)
WALLS = (  # point and normal of three planes that meet in a corner, world axes
    (np.array([0, 0, 2.5]), np.array([0, 0, -1.0])),
    (np.array([-1.1, 0, 0]), np.array([1.0, 0, 0])),
    (np.array([0, 0.8, 0]), np.array([0, -1.0, 0])),
)


def pose(x: float, z: float, yaw_deg: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(np.array([0, np.radians(yaw_deg), 0]))[0]
    matrix[:3, 3] = x, 0, z
    return matrix


POSES = [pose(0, 0, 0), pose(0.08, 0.02, -4), pose(0.16, 0.02, -8), pose(0.05, 0.05, -2)]


def texture(points: np.ndarray) -> np.ndarray:
    """Blotches of colour (N, 3) uint8 that do not repeat."""
    noise = np.random.default_rng(1).random((400, 400, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2.0)
    noise = np.clip(128 + 1200 * (noise - noise.mean()), 0, 255)
    across = points[:, 0] * 45 + points[:, 2] * 31 + 150
    down = points[:, 1] * 45 + points[:, 2] * 27 + 150
    parts = np.array_split(np.arange(len(points)), 10)  # remap takes no more than 32767 rows
    at = [(across[p, None].astype(np.float32), down[p, None].astype(np.float32)) for p in parts]
    return np.concatenate([np.asarray(cv2.remap(noise, *xy, cv2.INTER_LINEAR)).reshape(-1, 3) for xy in at])


def view(to_world: np.ndarray) -> Scene:
    x, y = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    rays = np.stack([(x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy, np.ones_like(x, float)], -1)
    rays = rays.reshape(-1, 3) @ to_world[:3, :3].T
    depth = np.full(len(rays), np.inf)
    for point, normal in WALLS:
        with np.errstate(divide="ignore"):
            t = (point - to_world[:3, 3]) @ normal / (rays @ normal)
        depth = np.where((t > 0) & (t < depth), t, depth)
    image = texture(to_world[:3, 3] + depth[:, None] * rays).astype(np.uint8)
    shape = CAMERA.height, CAMERA.width
    return Scene(image.reshape(*shape, 3), depth.reshape(shape).astype(np.float32), CAMERA)


@pytest.fixture(scope="module")
def views() -> list[Scene]:
    return [view(p) for p in POSES]


@pytest.fixture(scope="module")
def fused(views):
    return fuse_views(zip(views, POSES, strict=True), FuseParams(voxel_m=0.02))


def off_walls(points: np.ndarray) -> np.ndarray:
    return np.min([np.abs((points - point) @ normal) for point, normal in WALLS], axis=0)


def test_the_surface_lies_on_the_walls(fused):
    assert fused.views == 4
    assert np.quantile(off_walls(fused.mesh.vertices), 0.99) < 0.01
    assert np.ptp(fused.mesh.vertices, axis=0)[0] > 2
    assert np.allclose(np.linalg.norm(fused.mesh.normals, axis=1), 1, atol=1e-3)


def test_colours_are_those_of_the_views(fused):
    flat = np.abs(fused.mesh.vertices[:, 2] - 2.5) < 0.005
    expected = texture(fused.mesh.vertices[flat])
    assert np.abs(fused.mesh.colors[flat].astype(float) - expected).mean() < 20


def test_triangles_face_the_cameras(fused):
    a, b, c = (fused.mesh.vertices[fused.mesh.triangles[:, k]] for k in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0).mean() > 0.98


def test_a_fused_mesh_is_simplified(fused):
    small = simplify_mesh(fused.mesh, 2000)
    assert len(small.triangles) <= 2000
    assert np.quantile(off_walls(small.vertices), 0.98) < 0.015


def test_a_wall_keeps_its_vertices_where_its_colours_change():
    y, x = np.mgrid[:60, :60]
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)]).astype(np.float32)
    painted = (x >= 30) & (x % 10 < 5)
    grey = np.where(painted, 250, 20 + (x + y) % 2).ravel()  # stripes on the right; on the left next to nothing
    corner = (y * 60 + x)[:-1, :-1].ravel()
    triangles = np.concatenate(
        [np.stack([corner, corner + 60, corner + 1], 1), np.stack([corner + 61, corner + 1, corner + 60], 1)]
    )
    normals, colors = np.tile(np.array([0, 0, -1], np.float32), (x.size, 1)), np.tile(grey[:, None], 3).astype(np.uint8)
    small = simplify_mesh(TriangleMesh(points, triangles.astype(np.int32), normals, colors), 600)
    inside = small.vertices[(small.vertices[:, :2] % 59 != 0).all(axis=1)]
    assert (inside[:, 0] >= 28).mean() > 0.95


def test_what_was_left_out_is_told(views, fused):
    assert fused.use.kept > 0.98
    assert fused.use.unknown == fused.use.far == 0
    depth = views[0].depth_m.copy()
    depth[:90] = np.nan
    half = fuse_views([(Scene(views[0].image, depth, CAMERA), np.eye(4))], FuseParams(voxel_m=0.02))
    assert half.use.unknown == pytest.approx(0.5)
    assert half.use.kept == pytest.approx(0.5, abs=0.02)


def test_doubtful_pixels_and_specks_stay_out(views):
    confidence = np.ones(views[0].depth_m.shape, np.float32)
    depth = views[0].depth_m.copy()
    depth[60:100, 100:140], confidence[60:100, 100:140] = 1.0, 0.05
    depth[20:23, 60:63] = 1.0
    scene = Scene(views[0].image, depth, CAMERA, confidence=confidence)
    assert fuse_views([(scene, np.eye(4))], FuseParams(voxel_m=0.02)).mesh.vertices[:, 2].min() > 1.2


def test_what_falls_between_voxels_makes_no_surface():
    """Open3D has errors of its own for a field that no surface passes through, and for one without blocks."""
    image = np.zeros((16, 16, 3), np.uint8)
    small = Scene(image, np.full((16, 16), 1.25, np.float32), Camera.from_fov(16, 16, 20))
    with pytest.raises(InputError, match="do not make a surface") as error:
        fuse_views([(small, np.eye(4))], FuseParams(voxel_m=1.0))
    assert "voxel_m" in error.value.hint
    with pytest.raises(InputError, match="do not make a surface"):
        DistanceField(1.0).surface()


def test_views_are_let_go_once_they_are_fused(views):
    alive, most = weakref.WeakSet(), 0

    def taken():
        nonlocal most
        for k in range(20):
            scene = replace(views[k % 4])
            alive.add(scene)
            most = max(most, len(alive))
            yield scene, POSES[k % 4]
            del scene

    fuse_views(taken(), FuseParams(voxel_m=0.05))
    assert most <= cv2.getNumThreads() + 4


def test_the_voxel_fits_the_view_and_limits_are_kept(views):
    assert fuse_views([(views[0], np.eye(4))]).voxel_m == pytest.approx(
        1.5 * np.median(views[0].depth_m) / CAMERA.fx, rel=0.1
    )
    with pytest.raises(InputError, match="mm"):
        FuseParams(voxel_m=0.0)
    with pytest.raises(InputError, match="surface"):
        fuse_views([(views[0], np.eye(4))], FuseParams(voxel_m=0.02, far_m=0.1))


def test_poses_are_found_from_the_views(views):
    found = estimate_poses(views)
    assert found.closures >= 1
    for estimate, truth in zip(found.poses, POSES, strict=True):
        assert estimate is not None
        assert np.linalg.norm(estimate[:3, 3] - truth[:3, 3]) < 0.01
        turn = cv2.Rodrigues(estimate[:3, :3].T @ truth[:3, :3])[0]
        assert np.degrees(np.linalg.norm(turn)) < 0.5


def test_views_that_share_nothing_are_refused():
    depth = np.full((180, 240), np.nan, np.float32)
    depth[0, 0] = 1
    grey = Scene(np.full((180, 240, 3), 128, np.uint8), depth, CAMERA)
    with pytest.raises(InputError):
        estimate_poses([grey, grey])


def test_one_view_alone_has_no_pose_to_be_found(views):
    with pytest.raises(InputError, match="one view alone") as error:
        estimate_poses(views[:1])
    assert "add views" in error.value.hint
