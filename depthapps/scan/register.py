"""Estimate the camera poses of an RGB-D sequence from the views themselves.

The relative pose of two views comes from SIFT features that are matched between them: the depth of the first view gives
their 3D points, and PnP with RANSAC gives the pose. Where there are too few matches, RGB-D odometry is used (Park, Zhou
and Koltun 2017). Coloured ICP (the same paper) refines the pose. The poses that pass all checks become the edges of a
pose graph. Edges between views that do not follow each other are loop closures. Open3D's optimiser then finds the poses
that fit all edges best; it can reject a wrong closure (Choi, Zhou and Koltun 2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError
from depthapps.core.features import Features, find_features, pair_features
from depthapps.core.geometry import rotation_between
from depthapps.core.scene import Scene
from depthapps.runtime.open3d import import_open3d

BEST_OF_CELL = 14  # features per cell of the picture; some 1500 a view
REPROJECTION_PX = 3.0  # largest reprojection error of a match that agrees with a pose
FEWEST_MATCHES = 25  # that agree on a pose; on repeated texture, fewer agree by chance
FEWEST_FOLLOWING = 15  # the same for views that follow each other, which are likely to overlap
# Number of views among which every pair is tried for a loop closure. Of longer sequences that many views are taken,
# evenly spaced.
LARGEST_LOOPS = 40
CLOUD_PIXELS = 8.0  # point spacing for ICP, in pixels at the median depth
FEWEST_POINTS = 300  # in a point cloud; with fewer, ICP is not reliable
FEWEST_OVERLAP = 0.3  # share of the points for which ICP must find a partner


@dataclass(frozen=True)
class Trajectory:
    """The estimated camera poses of a sequence.

    poses: (4, 4) camera to world of every view; the first camera's axes are the world's. None for views that no edge
    connects to the first. closures: number of loop closures, pairs of views that overlap and do not follow each other.
    drift_m: how far, in metres, the closures moved the last view that the chain of neighbouring views alone had placed.
    """

    poses: tuple[NDArray[np.floating] | None, ...]
    closures: int
    drift_m: float


@dataclass(frozen=True, eq=False)
class _Frame:
    """What is kept of a view.

    features: of the picture. points: (N, 3) metres, their 3D points in camera axes. matrix: (3, 3), the camera's.
    cloud: sparse coloured point cloud with normals. spacing: of its points, in metres. rgbd: grey picture and depth,
    for odometry. intrinsic: the camera in Open3D's form.
    """

    features: Features
    points: NDArray[np.floating]
    matrix: NDArray[np.floating]
    cloud: Any
    spacing: float
    rgbd: Any
    intrinsic: Any


_DECIMALS = 9  # of poses in metres; below, Open3D's sums depend on the order in which its threads end


@dataclass(frozen=True, eq=False)
class _Edge:
    """The relative pose of two views, an edge of the pose graph.

    transformation: (4, 4) from the source's axes to the target's. information: (6, 6), how well each direction of the
    pose is known. strength: number of matches that agree, plus the overlap that ICP found; stronger edges go first.
    """

    source: int
    target: int
    transformation: NDArray[np.floating]
    information: NDArray[np.floating]
    strength: float


def estimate_poses(views: Iterable[Scene]) -> Trajectory:
    """Estimate the poses of views with depth, given in the order in which they were taken.

    Each view is read once and not kept. Raises InputError if there is one view alone, or no two can be connected.
    """
    o3d = import_open3d()
    cv2.setRNGSeed(0)
    frames: list[_Frame] = []
    edges: list[_Edge] = []
    for scene in views:
        frames.append(_frame(o3d, scene))
        if len(frames) > 1:
            edges += _tie(o3d, frames, len(frames) - 1, len(frames) - 2, odometry=True)
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), LARGEST_LOOPS)).round().astype(int))
    closures = []
    for k, target in enumerate(chosen):
        for source in chosen[k + 1 :]:
            if source - target > 1:
                closures += _tie(o3d, frames, int(source), int(target), odometry=False)
    if len(frames) < 2:
        raise InputError(
            "the sequence has one view alone, and poses are found between two views or more",
            hint="add views that overlap it, or give its pose; a model of one view needs no sequence",
        )
    if not edges and not closures:
        raise InputError("no two views of the sequence could be tied together", hint="give their poses")
    chained = _chain(len(frames), edges, [])
    start = _chain(len(frames), edges, closures)
    poses = _settle(o3d, start, edges, closures)
    moved = [
        np.linalg.norm(a[:3, 3] - b[:3, 3])
        for a, b in zip(chained, poses, strict=True)
        if a is not None and b is not None
    ]
    return Trajectory(tuple(poses), len(closures), float(moved[-1]))


def trajectory_errors(
    found: Iterable[NDArray[np.floating] | None], known: Iterable[NDArray[np.floating] | None]
) -> NDArray[np.floating]:
    """Compute the distances (N,), in metres, between found and known camera positions, for views that have both.

    This is the absolute trajectory error: the distance that remains after the rotation and shift that fit best (Sturm
    et al. 2012).
    """
    both = [(a[:3, 3], b[:3, 3]) for a, b in zip(found, known, strict=True) if a is not None and b is not None]
    if not both:
        return np.zeros(0)
    a, b = (np.array(column) - np.mean(column, axis=0) for column in zip(*both, strict=True))
    return np.linalg.norm(a @ rotation_between(a, b).T - b, axis=1)


def _frame(o3d: Any, scene: Scene) -> _Frame:
    camera, image = scene.camera, to_8bit(scene.image)
    depth = np.where(np.isfinite(scene.depth_m), scene.depth_m, 0).astype(np.float32)
    features = find_features(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), BEST_OF_CELL)
    pixels = features.points
    x, y = (np.clip(np.rint(p).astype(int), 0, n - 1) for p, n in zip(pixels.T, image.shape[1::-1], strict=True))
    z = depth[y, x]
    kept = z > 0
    points = np.column_stack(
        [(pixels[:, 0] - camera.cx) / camera.fx * z, (pixels[:, 1] - camera.cy) / camera.fy * z, z]
    )
    intrinsic = o3d.camera.PinholeCameraIntrinsic(
        camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy
    )
    rgbd = o3d.geometry.RGBDImage.create_from_color_and_depth(
        o3d.geometry.Image(np.ascontiguousarray(image)), o3d.geometry.Image(depth), 1.0, 8.0, False
    )
    spacing = CLOUD_PIXELS * float(np.median(depth[depth > 0])) / camera.fx if depth.any() else 0.05
    cloud = o3d.geometry.PointCloud.create_from_rgbd_image(rgbd, intrinsic).voxel_down_sample(spacing)
    cloud.estimate_normals(o3d.geometry.KDTreeSearchParamHybrid(3 * spacing, 30))
    grey = o3d.geometry.RGBDImage.create_from_color_and_depth(
        o3d.geometry.Image(np.ascontiguousarray(image)), o3d.geometry.Image(depth), 1.0, 8.0, True
    )
    return _Frame(features.among(kept), points[kept], camera.matrix, cloud, spacing, grey, intrinsic)


def _tie(o3d: Any, frames: list[_Frame], source: int, target: int, *, odometry: bool) -> list[_Edge]:
    """Find the edge between two views; returns a list of one edge, or an empty list.

    odometry: whether to try RGB-D odometry if features fail; for views that follow each other.
    """
    a, b = frames[source], frames[target]
    guess, strength = _from_features(a, b, FEWEST_FOLLOWING if odometry else FEWEST_MATCHES)
    if guess is None and odometry:
        done, moved, _ = o3d.pipelines.odometry.compute_rgbd_odometry(a.rgbd, b.rgbd, a.intrinsic, np.eye(4))
        guess = moved if done else None
    if guess is None or min(len(a.cloud.points), len(b.cloud.points)) < FEWEST_POINTS:
        return []
    registration, reach = o3d.pipelines.registration, 2 * max(a.spacing, b.spacing)
    try:
        refined = registration.registration_colored_icp(a.cloud, b.cloud, reach, guess)
    except RuntimeError:  # ICP found no correspondences at all
        return []
    # with less overlap, ICP slides along the surface and its result is wrong
    if refined.fitness < FEWEST_OVERLAP or np.linalg.norm((refined.transformation - guess)[:3, 3]) > 3 * reach:
        return []
    known = registration.get_information_matrix_from_point_clouds(a.cloud, b.cloud, reach, refined.transformation)
    return [_Edge(source, target, refined.transformation, known, float(strength + refined.fitness))]


def _from_features(a: _Frame, b: _Frame, fewest: int) -> tuple[NDArray[np.floating] | None, int]:
    """Estimate the pose from a's axes to b's from features seen in both; also returns how many matches agree on it."""
    rows, columns = pair_features(a.features, b.features)
    if len(rows) < fewest:
        return None, 0
    points, pixels = a.points[rows], b.features.points[columns]
    # Of OpenCV's minimal solvers, AP3P is the one that does not return poses kilometres away, from where all points
    # project to one pixel.
    options = {"iterationsCount": 300, "reprojectionError": REPROJECTION_PX, "confidence": 0.999}
    done, turn, move, inliers = cv2.solvePnPRansac(points, pixels, b.matrix, None, **options, flags=cv2.SOLVEPNP_AP3P)
    if not done or inliers is None or len(inliers) < fewest:
        return None, 0
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(turn)[0], move.ravel()
    return pose, len(inliers)


def _chain(count: int, edges: list[_Edge], closures: list[_Edge]) -> list[NDArray[np.floating] | None]:
    """Chain relative poses from the first view on: along edges first, then along the strongest closures.

    None for views that neither reach.
    """
    poses: list[NDArray[np.floating] | None] = [None] * count
    poses[0] = np.eye(4)
    by_strength = [*edges, *sorted(closures, key=lambda edge: -edge.strength)]
    grown = True
    while grown:
        grown = False
        for edge in by_strength:
            source, target = poses[edge.source], poses[edge.target]
            if source is None and target is not None:
                poses[edge.source] = target @ edge.transformation
            elif target is None and source is not None:
                poses[edge.target] = source @ np.linalg.inv(edge.transformation)
            else:
                continue
            grown = True
            break
    return poses


def _settle(
    o3d: Any, start: list[NDArray[np.floating] | None], edges: list[_Edge], closures: list[_Edge]
) -> list[NDArray[np.floating] | None]:
    """Optimise the pose graph: find the poses that fit all edges best. Edges of `closures` may be rejected."""
    registration = o3d.pipelines.registration
    placed = [k for k, pose in enumerate(start) if pose is not None]
    node = {k: i for i, k in enumerate(placed)}
    graph = registration.PoseGraph()
    for k in placed:
        graph.nodes.append(registration.PoseGraphNode(start[k]))
    for edge, uncertain in [*((e, False) for e in edges), *((e, True) for e in closures)]:
        if edge.source in node and edge.target in node:
            ends = node[edge.source], node[edge.target]
            graph.edges.append(registration.PoseGraphEdge(*ends, edge.transformation, edge.information, uncertain))
    option = registration.GlobalOptimizationOption(
        max_correspondence_distance=0.03, edge_prune_threshold=0.25, preference_loop_closure=1.0, reference_node=0
    )
    with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
        registration.global_optimization(
            graph,
            registration.GlobalOptimizationLevenbergMarquardt(),
            registration.GlobalOptimizationConvergenceCriteria(),
            option,
        )
    poses: list[NDArray[np.floating] | None] = [None] * len(start)
    for k in placed:
        poses[k] = np.round(graph.nodes[node[k]].pose, _DECIMALS)
    return poses
