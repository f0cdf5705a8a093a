"""depthapps mesh --sequence, from a folder of views to files."""

from __future__ import annotations

import base64
import errno
import json
import re
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from conftest import link_or_copy
from test_mesh_fuse import CAMERA, POSES, off_walls, view
from typer.testing import CliRunner

from depthapps import (
    Calibration,
    FuseParams,
    InputError,
    PrintParams,
    Quality,
    SceneParams,
    StereoError,
    print_of_scan,
    read_image,
    scan_folder,
    write_depth,
    write_image,
)
from depthapps.cli.app import app


def run(*arguments, code: int = 0):
    result = CliRunner().invoke(app, ["mesh", *map(str, arguments)])
    assert result.exit_code == code, result.stderr
    return result


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    for k, pose in enumerate(POSES):
        scene = view(pose)
        write_image(folder / f"frame-{k:06}.color.png", scene.image)
        write_depth(folder / f"frame-{k:06}.depth.png", scene.depth_m)
        np.savetxt(folder / f"frame-{k:06}.pose.txt", pose)
    np.savetxt(folder / "camera-intrinsics.txt", CAMERA.matrix)
    return folder


def test_a_sequence_becomes_a_mesh_and_a_page(tmp_path, room):
    out = [tmp_path / n for n in ("room.ply", "room.glb", "room.obj", "room.html")]
    wanted = ["-o", out[0], "-o", out[1], "-o", out[2], "--viewer", out[3]]
    facts = json.loads(run("--sequence", room, *wanted, "--voxel-mm", 20, "--json").stdout)
    mesh: Any = trimesh.load(out[0], process=False)
    assert len(mesh.faces) == facts["triangles"]
    assert np.quantile(off_walls(np.asarray(mesh.vertices)), 0.99) < 0.01
    assert all(path.is_file() for path in out)
    assert out[2].with_suffix(".mtl").is_file()
    model: Any = trimesh.load(out[1], force="mesh")
    assert model.visual.material.baseColorTexture.size[0] > CAMERA.width
    assert facts["left_out"]["unknown"] == 0
    assert facts["sequence"]["layout"] == "7-Scenes"
    small = tmp_path / "small.glb"
    facts = json.loads(run("--sequence", room, "-o", small, "--voxel-mm", 20, "--max-triangles", 1000, "--json").stdout)
    assert small.stat().st_size < out[1].stat().st_size / 4
    assert 0 < facts["error_mm"]["rms"] < 5


def test_a_sequence_becomes_a_cloud_and_its_page(tmp_path, room):
    out = tmp_path / "room.ply", tmp_path / "room.html"
    result = run("--sequence", room, "--points", "-o", out[0], "--viewer", out[1], "--voxel-mm", 20, "--json")
    cloud: Any = trimesh.load(out[0], process=False)
    assert isinstance(cloud, trimesh.PointCloud)
    assert json.loads(result.stdout)["vertices"] == len(cloud.vertices)
    assert "triangles" not in json.loads(result.stdout)
    assert "triangles," not in result.stderr
    model = json.loads(re.findall(r'type="application/json">(.*?)</script>', out[1].read_text())[0])["model"]
    assert len(base64.b64decode(model["positions"])) == 12 * len(cloud.vertices)
    assert "triangles" not in model


def as_tum(room):
    """The room as TUM RGB-D has it: 5000 units a metre, quaternions, and no camera."""
    lists = {"rgb": "", "depth": "", "groundtruth": "# tx ty tz qx qy qz qw\n"}
    for k, pose in enumerate(POSES):
        (room / f"frame-{k:06}.color.png").rename(room / f"{k}.png")
        write_depth(room / f"{k}d.png", view(pose).depth_m, 5000)
        half = np.linalg.norm(cv2.Rodrigues(pose[:3, :3])[0]) / 2  # they turn about Y, to the left
        x, y, z = pose[:3, 3]
        lists["rgb"] += f"{k}.0 {k}.png\n"
        lists["depth"] += f"{k}.01 {k}d.png\n"
        lists["groundtruth"] += f"{k}.0 {x} {y} {z} 0 {-np.sin(half)} 0 {np.cos(half)}\n"
    for path in [*room.glob("frame-*"), room / "camera-intrinsics.txt"]:
        path.unlink()
    for name, text in lists.items():
        (room / f"{name}.txt").write_text(text)


def as_open3d(room):
    """The room as Open3D has it: a folder each, a camera as JSON, poses one after another."""
    matrix = np.loadtxt(room / "camera-intrinsics.txt")
    log = ""
    for k, pose in enumerate(POSES):
        for kind in ("color", "depth"):
            (room / kind).mkdir(exist_ok=True)
            (room / f"frame-{k:06}.{kind}.png").rename(room / kind / f"{k:06}.png")
        log += f"{k} {k} {k + 1}\n" + "\n".join(" ".join(map(str, row)) for row in pose) + "\n"
    for path in [*room.glob("frame-*"), room / "camera-intrinsics.txt"]:
        path.unlink()
    (room / "trajectory.log").write_text(log)
    (room / "camera_intrinsic.json").write_text(json.dumps({"intrinsic_matrix": matrix.T.ravel().tolist()}))


@pytest.mark.parametrize(
    ("change", "kind", "more"), [(as_tum, "TUM", ["--focal-px", CAMERA.fx]), (as_open3d, "Open3D", [])]
)
def test_other_layouts_become_the_same_room(tmp_path, room, change, kind, more):
    change(room)
    out = tmp_path / "room.ply"
    facts = json.loads(run("--sequence", room, *more, "-o", out, "--voxel-mm", 20, "--json").stdout)
    assert facts["sequence"]["layout"] == kind
    assert facts["views_fused"] == len(POSES)
    mesh: Any = trimesh.load(out, process=False)
    assert np.quantile(off_walls(np.asarray(mesh.vertices)), 0.99) < 0.01
    assert np.ptp(mesh.vertices[:, 0]) > 2


def test_a_grid_that_would_not_fit_the_memory_is_refused_and_nothing_is_written(tmp_path, room, monkeypatch):
    monkeypatch.setattr("depthapps.scan.fuse.MAX_BLOCKS", 50)
    result = run("--sequence", room, "-o", tmp_path / "room.obj", "--voxel-mm", 10, code=1)
    assert "fill the memory" in result.stderr
    assert "--voxel-mm" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["room"]


def test_views_of_two_rooms_become_one_mesh(tmp_path, room):
    scene, there = view(POSES[0]), POSES[0].copy()
    there[0, 3] += 5
    write_image(room / "frame-000004.color.png", scene.image)
    write_depth(room / "frame-000004.depth.png", scene.depth_m)
    np.savetxt(room / "frame-000004.pose.txt", there)
    out = tmp_path / "rooms.ply"
    assert json.loads(run("--sequence", room, "-o", out, "--voxel-mm", 20, "--json").stdout)["views_fused"] == 5
    mesh: Any = trimesh.load(out, process=False)
    right = np.asarray(mesh.vertices)[mesh.vertices[:, 0] > 3] - there[:3, 3]
    assert len(right) > 1000
    assert np.quantile(off_walls(right), 0.99) < 0.01


def test_the_origin_of_far_poses_is_moved_to_the_views(tmp_path, room):
    """Without that, float32 has steps of 0.25 m here, and the field has no room for such voxels."""
    near, origin = scan_folder(room, FuseParams(voxel_m=0.02)), np.array([500_000, 4_000_000, 300])
    assert not near.origin_m.any()
    assert "origin_m" not in near.facts
    assert all(np.array_equal(pose, true) for pose, true in zip(near.poses, POSES, strict=True) if pose is not None)
    for k, pose in enumerate(POSES):
        far = pose.copy()
        far[:3, 3] += origin
        np.savetxt(room / f"frame-{k:06}.pose.txt", far)
    out = tmp_path / "room.ply"
    result = run("--sequence", room, "-o", out, "--voxel-mm", 20, "--json")
    assert json.loads(result.stdout)["origin_m"] == origin.tolist()
    assert "500000, 4000000, 300 m" in result.stderr
    mesh: Any = trimesh.load(out, process=False)
    assert np.quantile(off_walls(np.asarray(mesh.vertices)), 0.99) < 0.01
    assert np.allclose(
        mesh.bounds, [near.fused.mesh.vertices.min(axis=0), near.fused.mesh.vertices.max(axis=0)], atol=1e-3
    )
    found = scan_folder(room, FuseParams(voxel_m=0.02), find_poses=True)  # in the first camera's axes
    assert not found.origin_m.any()


def test_views_that_are_left_out_are_told(tmp_path, room):
    (room / "frame-000003.color.png").unlink()
    np.savetxt(room / "frame-000002.pose.txt", np.full((4, 4), np.nan))
    write_depth(room / "frame-000001.depth.png", np.full_like(view(POSES[1]).depth_m, 20))  # far
    result = run("--sequence", room, "-o", tmp_path / "room.ply", "--voxel-mm", 20)
    assert "note: 2 of 4 views are used: 1 without a picture, 1 without a pose" in result.stderr
    assert "note: 1 of 2 views have no depth to fuse and are left out" in result.stderr


@pytest.mark.parametrize("poses", ["told", "found"])
def test_a_view_whose_depth_map_is_empty_is_left_out_and_told(tmp_path, room, poses):
    flat = np.zeros(view(POSES[0]).depth_m.shape, np.uint16)
    cv2.imwrite(str(room / "frame-000000.depth.png"), flat)
    more = [] if poses == "told" else ["--find-poses"]
    result = run("--sequence", room, "-o", tmp_path / "room.ply", "--voxel-mm", 20, "--json", *more)
    assert f"note: 1 of {len(POSES)} views have no depth to fuse and are left out" in result.stderr
    facts = json.loads(result.stdout)
    assert facts["views_fused"] == len(POSES) - 1
    if poses == "found":
        assert [pose is None for pose in facts["trajectory"]] == [True] + [False] * (len(POSES) - 1)
        assert facts["trajectory_error_m"]["largest"] < 0.02


def test_a_sequence_of_empty_depth_maps_is_refused_by_what_they_are(tmp_path, room):
    for path in room.glob("*.depth.png"):
        cv2.imwrite(str(path), np.zeros(view(POSES[0]).depth_m.shape, np.uint16))
    result = run("--sequence", room, "-o", tmp_path / "room.ply", code=1)
    assert "holds no known depth at all" in result.stderr
    assert not (tmp_path / "room.ply").exists()


def test_a_scan_is_printed_in_its_true_shape(room):
    scan = scan_folder(room, FuseParams(voxel_m=0.03))
    with pytest.raises(InputError, match="printed in its true shape") as error:
        print_of_scan(scan, PrintParams(relief=0.5))
    assert error.value.hint == "leave relief out"


def test_a_calibration_with_the_names_of_its_cameras_is_for_rgbd_too(room):
    params = SceneParams(calibration=Calibration(CAMERA, 0.1), cameras=("left", "right"))
    assert scan_folder(room, FuseParams(voxel_m=0.03), params).fused.views == len(POSES)


def test_a_sequence_is_printed_as_a_closed_shell(tmp_path, room):
    out = tmp_path / "room.stl"
    wanted = ["-o", out, "--preset", "print", "--size-mm", "50", "--voxel-mm", "30", "--json"]
    facts = json.loads(run("--sequence", room, *wanted).stdout)
    solid: Any = trimesh.load(out)
    assert facts["watertight"]
    assert solid.is_watertight
    assert solid.extents.max() == pytest.approx(50, abs=0.1)


def test_its_poses_are_found_when_they_are_not_told(tmp_path, room):
    for path in room.glob("*.pose.txt"):
        path.unlink()
    result = run("--sequence", room, "-o", tmp_path / "room.ply", "--voxel-mm", 20, "--json")
    facts = json.loads(result.stdout)
    assert facts["views_lost"] == 0
    assert np.linalg.norm(np.array(facts["trajectory"][2])[:3, 3] - POSES[2][:3, 3]) < 0.01
    assert "drift" in result.stderr
    assert "trajectory_error_m" not in facts


def test_poses_that_are_found_are_compared_with_those_of_the_folder(tmp_path, room):
    shift = np.eye(4)
    shift[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]  # another world, which is no error
    shift[:3, 3] = 5, 0, 2
    for k, pose in enumerate(POSES):
        np.savetxt(room / f"frame-{k:06}.pose.txt", shift @ pose)
    wanted = ["--voxel-mm", 20, "--find-poses", "--json"]
    facts = json.loads(run("--sequence", room, "-o", tmp_path / "room.ply", *wanted).stdout)
    assert facts["trajectory_error_m"]["rms"] < 0.005
    wrong = shift @ POSES[2]
    wrong[:3, 3] += 0.1
    np.savetxt(room / "frame-000002.pose.txt", wrong)
    result = run("--sequence", room, "-o", tmp_path / "again.ply", *wanted)
    assert json.loads(result.stdout)["trajectory_error_m"]["largest"] > 0.05
    assert "from the folder's own poses" in result.stderr


def test_a_folder_of_pairs_is_matched_and_fused(tmp_path, small_sample):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for side in ("left", "right"):
        (folder / side).mkdir()
        link_or_copy(small_sample / f"{side}.png", folder / side / "a.png")
    np.savetxt(folder / "left" / "a.pose.txt", np.eye(4))
    flags = ("-c", small_sample / "calib.txt", "--json", "--quality", "fast")
    facts = json.loads(run("--sequence", folder, *flags, "-o", tmp_path / "m.ply").stdout)
    assert facts["triangles"] > 10_000


@pytest.mark.parametrize("bad", ["a", "b"])
def test_a_pair_that_cannot_be_matched_is_named(tmp_path, small_sample, bad):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name in "abc":
        for side in ("left", "right"):
            shown = "left" if name == bad else side  # the same photo twice is no pair
            link_or_copy(small_sample / f"{shown}.png", folder / f"{name}_{side}.png")
        np.savetxt(folder / f"{name}.pose.txt", np.eye(4))
    flags = ("-c", small_sample / "calib.txt", "--quality", "fast", "-q")
    result = run("--sequence", folder, *flags, "-o", tmp_path / "m.ply", code=1)
    error, hint = result.stderr.splitlines()
    files = f"{folder / bad}_left.png and {folder / bad}_right.png"
    assert error == f"error: {files}: the two photos are the same: nothing moved between them"
    assert hint.startswith("hint: take the second one")
    assert hint.endswith("or take the two out of the folder")
    with pytest.raises(StereoError, match=f"{bad}_left.png and "):  # and in Python
        scan_folder(folder, scene_params=SceneParams(calibration=small_sample / "calib.txt", quality=Quality.FAST))
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".ply"] == []


def test_a_view_whose_depth_has_another_shape_is_named(tmp_path, room):
    write_depth(room / "frame-000001.depth.png", np.ones((40, 300), np.float32))
    flags = ("--focal-px", CAMERA.fx, "-o", tmp_path / "m.ply", "-q")
    error, hint = run("--sequence", room, *flags, code=1).stderr.splitlines()
    named = f"{room}/frame-000001.color.png and {room}/frame-000001.depth.png"
    assert error.startswith(f"error: {named}: the image is ")
    assert hint == "hint: pass a depth map of the whole image, of any size"


def test_what_is_wrong_with_all_views_is_not_said_of_one(tmp_path, room):
    assert run("--sequence", room, "--fov", 500, "-o", tmp_path / "m.ply", code=1).stderr.startswith("error: a field")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-error", "1", "-o", "m.ply"], "takes none"),
        (["--cross-eyed", "-o", "m.ply"], "takes none"),
        (["-o", "m.ply", "a.png"], "IMAGE and --sequence"),
        (["-o", "m.ply", "--voxel-mm", "0"], "0 mm"),
        (["-o", "m.ply", "--disparity", "d.png"], "takes none"),
        (["-o", "m.ply", "--depth-kind", "inverse"], "metric"),
        (["-o", "m.ply", "--matcher", "net.onnx"], "takes none of --matcher"),
        (["-o", "m.ply", "--cameras", "a,b"], "takes none of --matcher"),
        (["-o", "m.ply", "--baseline", "0.1"], "takes none of --matcher"),
        (["-o", "m.ply", "--doffs", "0"], "takes none of --matcher"),
        (["-o", "m.ply", "--rectify", "never"], "takes none of --matcher"),
        (["-o", "m.ply", "--frame", "rectified"], "takes none of --matcher"),
        (["-o", "m.ply", "--disparity-scale", "4"], "takes none of --matcher"),
        (["-o", "m.ply", "--size-mm", "50"], "for prints"),
    ],
)
def test_what_does_not_go_together_is_refused(room, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert said in run("--sequence", room, *arguments, code=1).stderr
    assert [p.name for p in tmp_path.iterdir()] == ["room"]


def test_a_view_is_read_once_though_its_pose_is_looked_for_first(room, monkeypatch):
    read = []
    monkeypatch.setattr("depthapps.apps.sequence_scenes.read_image", lambda path: read.append(path) or read_image(path))
    scan_folder(room, FuseParams(voxel_m=0.02), find_poses=True)
    assert len(read) == len(set(read)) == len(POSES)


def test_a_sequence_leaves_the_log_as_loud_as_it_was(tmp_path, room):
    result = run("--sequence", room, "-o", tmp_path / "room.ply", "--voxel-mm", 20, "-v")
    assert "fusing: " in result.stderr
    assert "writing: " in result.stderr


def test_a_temporary_folder_that_is_full_costs_time_only(tmp_path, room, monkeypatch):
    """Scenes are kept there while poses are looked for; without room they are opened again."""
    for path in room.glob("*.pose.txt"):
        path.unlink()
    tried = []

    def full(*_args):
        tried.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("depthapps.apps.sequence_scenes.pickle.dumps", full)
    run("--sequence", room, "-o", tmp_path / "room.ply", "--voxel-mm", 20)
    assert tried == [1]
