"""Folders of many views, in every layout that is read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from depthapps import InputError, read_sequence, write_depth, write_image

MATRIX = np.array([[100, 0, 9.5], [0, 101, 7.5], [0, 0, 1.0]])
MOVED = np.array([[0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.3], [0, 0, 0, 1.0]])
PICTURE, DEPTH = np.zeros((16, 20, 3), np.uint8), np.full((16, 20), 2.0, np.float32)


def scenes7(folder):
    for k in range(3):
        write_image(folder / f"frame-{k:06}.color.png", PICTURE)
        write_depth(folder / f"frame-{k:06}.depth.png", DEPTH)
        np.savetxt(folder / f"frame-{k:06}.pose.txt", MOVED if k else np.eye(4))
    np.savetxt(folder / "camera-intrinsics.txt", MATRIX)
    return folder


def tum(folder):
    for name in ("rgb", "depth"):
        (folder / name).mkdir()
    for k in range(2):
        write_image(folder / f"rgb/{k}.png", PICTURE)
        write_depth(folder / f"depth/{k}.png", DEPTH, 5000)
    (folder / "rgb.txt").write_text("# colour\n1.00 rgb/0.png\n2.00 rgb/1.png\n9.00 rgb/1.png\n")
    (folder / "depth.txt").write_text("# depth\n1.01 depth/0.png\n2.01 depth/1.png\n")
    half = np.sqrt(0.5)
    (folder / "groundtruth.txt").write_text(f"1.0 0 0 0 0 0 0 1\n2.0 0.1 0.2 0.3 0 0 {half} {half}\n")
    return folder


def open3d(folder):
    for name in ("color", "depth"):
        (folder / name).mkdir()
    for k in range(2):
        write_image(folder / f"color/{k}.jpg", PICTURE)
        write_depth(folder / f"depth/{k}.png", DEPTH)
    (folder / "camera_intrinsic.json").write_text(json.dumps({"intrinsic_matrix": MATRIX.T.ravel().tolist()}))
    rows = ["\n".join(" ".join(map(str, row)) for row in pose) for pose in (np.eye(4), MOVED)]
    (folder / "trajectory.log").write_text("".join(f"{k} {k} {k + 1}\n{text}\n" for k, text in enumerate(rows)))
    return folder


def pairs(folder):
    for name in ("left", "right"):
        (folder / name).mkdir()
        for k in range(2):
            write_image(folder / name / f"{k}.png", PICTURE)
    return folder


@pytest.mark.parametrize(
    ("make", "kind", "count", "scale"),
    [(scenes7, "7-Scenes", 3, None), (tum, "TUM", 2, 5000), (open3d, "Open3D", 2, None)],
)
def test_rgbd_layouts_are_read(tmp_path, make, kind, count, scale):
    sequence = read_sequence(make(tmp_path))
    assert (sequence.kind, len(sequence.views), sequence.depth_scale) == (kind, count, scale)
    assert all(view.image.is_file() and view.depth is not None and view.depth.is_file() for view in sequence.views)
    last = sequence.views[-1].pose
    assert last is not None
    assert np.allclose(last, MOVED)
    if kind != "TUM":
        camera = sequence.camera(20, 16)
        assert camera is not None
        assert (camera.fx, camera.fy, camera.cx, camera.cy) == (100, 101, 9.5, 7.5)


def test_pairs_are_read_from_two_folders_or_by_their_names(tmp_path):
    sequence = read_sequence(pairs(tmp_path))
    assert [view.right and view.right.parent.name for view in sequence.views] == ["right", "right"]
    assert sequence.camera(20, 16) is None
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("a_left", "a_right"):
        write_image(flat / f"{name}.jpg", PICTURE)
    np.savetxt(flat / "a.pose.txt", MOVED)
    (view,) = read_sequence(flat).views
    assert view.right == flat / "a_right.jpg"
    assert view.pose is not None


@pytest.mark.parametrize(("left", "right"), [(".tif", ".tif"), (".PNG", ".PNG"), (".jpeg", ".TIFF"), (".TIF", ".png")])
@pytest.mark.parametrize("names", ["a_{}", "{}/a"])
def test_both_views_of_a_pair_are_found_by_every_suffix(tmp_path, left, right, names):
    for side, suffix in (("left", left), ("right", right)):
        path = tmp_path / names.format(side)
        path.parent.mkdir(exist_ok=True)
        write_image(path.with_suffix(suffix), PICTURE)
    (view,) = read_sequence(tmp_path).views
    assert view.right is not None
    assert (view.image.suffix, view.right.suffix) == (left, right)


@pytest.mark.parametrize("suffix", [".tif", ".PNG", ".Jpg"])
def test_pictures_and_depths_of_7scenes_are_found_by_every_suffix(tmp_path, suffix):
    scenes7(tmp_path)
    (tmp_path / "frame-000001.color.png").rename(tmp_path / f"frame-000001.color{suffix}")
    (tmp_path / "frame-000002.depth.png").rename(tmp_path / "frame-000002.depth.PNG")
    sequence = read_sequence(tmp_path)
    assert [view.image.suffix for view in sequence.views] == [".png", suffix, ".png"]
    assert not sequence.left_out


def test_views_of_a_lost_tracker_are_left_out(tmp_path):
    scenes7(tmp_path)
    np.savetxt(tmp_path / "frame-000001.pose.txt", np.full((4, 4), np.nan))
    assert len(read_sequence(tmp_path).views) == 2


def test_views_that_are_left_out_are_counted_by_what_they_lack(tmp_path):
    folders = {make: tmp_path / make.__name__ for make in (scenes7, tum, open3d, pairs)}
    for make, folder in folders.items():
        folder.mkdir()
        make(folder)
    assert read_sequence(folders[tum]).left_out == {"a depth map": 1}  # the picture of second 9
    (folders[tum] / "groundtruth.txt").write_text("1.0 0 0 0 0 0 0 1\n2.0 nan 0 0 0 0 0 1\n")
    assert read_sequence(folders[tum]).left_out == {"a depth map": 1, "a pose": 1}
    (folders[scenes7] / "frame-000001.pose.txt").unlink()
    (folders[scenes7] / "frame-000002.color.png").unlink()
    write_image(folders[scenes7] / "frame-000003.color.png", PICTURE)
    sequence = read_sequence(folders[scenes7])
    assert len(sequence.views) == 1
    assert sequence.left_out == {"a picture": 1, "a depth map": 1, "a pose": 1}
    log = folders[open3d] / "trajectory.log"
    log.write_text("\n".join(log.read_text().splitlines()[:5]))
    assert read_sequence(folders[open3d]).left_out == {"a pose": 1}
    (folders[pairs] / "left" / "0.png").unlink()
    assert read_sequence(folders[pairs]).left_out == {"a left view": 1}  # none has a pose, so none lacks it


@pytest.mark.parametrize(("pose", "said"), [("a b c d e f g", "no number"), ("0 0 0 0 0 1", "a pose of 6 numbers")])
def test_poses_of_tum_that_cannot_be_read_name_their_file(tmp_path, pose, said):
    tum(tmp_path)
    (tmp_path / "groundtruth.txt").write_text(f"1.0 {pose}\n")
    with pytest.raises(InputError, match=f"groundtruth.txt.*{said}") as error:
        read_sequence(tmp_path)
    assert "tx ty tz qx qy qz qw" in error.value.hint


def test_folders_that_are_no_sequence_are_refused(tmp_path):
    with pytest.raises(InputError, match="not a folder"):
        read_sequence(tmp_path / "none")
    with pytest.raises(InputError, match="no sequence"):
        read_sequence(tmp_path)
    scenes7(tmp_path)
    (tmp_path / "frame-000001.pose.txt").write_text("1 2 3")
    with pytest.raises(InputError, match="no pose"):
        read_sequence(tmp_path)
    np.savetxt(tmp_path / "frame-000001.pose.txt", 2 * np.eye(4))
    with pytest.raises(InputError, match="no rigid motion"):
        read_sequence(tmp_path)


def test_a_pair_without_its_right_view_is_refused(tmp_path):
    pairs(tmp_path)
    (tmp_path / "right" / "1.png").unlink()
    with pytest.raises(InputError, match="no right view"):
        read_sequence(tmp_path)


def test_hidden_files_of_macos_are_no_views(tmp_path):
    pairs(tmp_path)
    for side in ("left", "right"):
        (tmp_path / side / "._1.png").write_bytes(b"x")
    assert len(read_sequence(tmp_path).views) == 2
    room = tmp_path / "room"
    for name in ("color", "depth"):
        (room / name).mkdir(parents=True)
        write_image(room / name / "0.png", PICTURE)
    (room / "depth" / ".DS_Store").write_bytes(b"x")
    (room / "color" / "Thumbs.db").write_bytes(b"x")
    assert len(read_sequence(room).views) == 1
