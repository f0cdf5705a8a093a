"""Depth and disparity maps survive a round trip, with their units and their unknowns."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import read_raw

from depthapps import (
    InputError,
    MissingExtraError,
    read_depth,
    read_disparity,
    read_inverse_depth,
    write_depth,
    write_disparity,
)
from depthapps.io.maps.meaning import ASSUMED_FAR_M, ASSUMED_NEAR_M

FLOAT_SUFFIXES = [".npy", ".pfm", ".tif"]


@pytest.fixture
def values():
    values = np.random.default_rng(0).uniform(0.3, 60, (7, 9)).astype(np.float32)
    values[2, 3] = np.nan
    return values


@pytest.mark.parametrize("suffix", [*FLOAT_SUFFIXES, ".npz"])  # in an archive, less than 5 pixels are no map
def test_float_maps_are_kept_exactly(tmp_path, values, suffix):
    for write, read in ((write_depth, read_depth), (write_disparity, read_disparity)):
        write(tmp_path / f"a{suffix}", values)
        assert np.array_equal(read(tmp_path / f"a{suffix}"), values, equal_nan=True)


@pytest.mark.parametrize("suffix", FLOAT_SUFFIXES)
def test_infinite_depth_and_negative_disparity_are_known(tmp_path, suffix):
    write_depth(tmp_path / f"z{suffix}", np.array([[np.inf, 1]], np.float32))
    assert read_depth(tmp_path / f"z{suffix}").tolist() == [[np.inf, 1]]
    write_disparity(tmp_path / f"d{suffix}", np.array([[-3.5, 0]], np.float32))
    assert read_disparity(tmp_path / f"d{suffix}").tolist() == [[-3.5, 0]]


def test_png_maps_are_kept_to_their_step(tmp_path, values):
    write_depth(tmp_path / "z.png", values)
    assert np.nanmax(np.abs(read_depth(tmp_path / "z.png") - values)) <= 0.00051
    write_disparity(tmp_path / "d.png", values)
    assert np.nanmax(np.abs(read_disparity(tmp_path / "d.png") - values)) <= 0.00196
    assert np.isnan(read_disparity(tmp_path / "d.png")[2, 3])
    write_depth(tmp_path / "tum.png", values[:, :1] / 10, png_scale=5000)
    assert read_raw(tmp_path / "tum.png")[0, 0] == round(float(values[0, 0]) / 10 * 5000)
    assert np.allclose(read_depth(tmp_path / "tum.png", 5000), values[:, :1] / 10, atol=1e-4, equal_nan=True)


def test_what_a_png_cannot_hold_is_unknown_not_wrong(tmp_path):
    write_depth(tmp_path / "z.png", np.array([[70.0, np.inf, 1]], np.float32))
    assert np.isnan(read_depth(tmp_path / "z.png")).tolist() == [[True, True, False]]
    write_disparity(tmp_path / "d.png", np.array([[-2, 300, 7]], np.float32))
    assert np.isnan(read_disparity(tmp_path / "d.png")).tolist() == [[True, True, False]]


def test_writers_tell_which_share_of_the_known_pixels_a_png_loses(tmp_path):
    depth = np.array([[70.0, np.inf, 1, 65.5, np.nan]], np.float32)
    assert write_depth(tmp_path / "z.png", depth) == 0.5  # the unknown pixel is not lost
    assert write_depth(tmp_path / "z.png", depth, png_scale=256) == 0.25  # 70 m fit at 1/256 m a unit
    assert np.isnan(read_depth(tmp_path / "z.png", 256)).tolist() == [[False, True, False, False, True]]
    assert write_disparity(tmp_path / "d.png", np.array([[-2, 300, 7, 0, 0.5]], np.float32)) == 0.6
    for suffix in FLOAT_SUFFIXES:
        assert write_depth(tmp_path / f"z{suffix}", depth) == 0
        assert write_disparity(tmp_path / f"d{suffix}", -depth) == 0
    assert write_depth(tmp_path / "none.png", np.full((2, 2), np.nan, np.float32)) == 0


def test_archives_of_a_map_and_other_things(tmp_path):
    path, depth = tmp_path / "a.npz", np.arange(1, 31, dtype=np.float32).reshape(5, 6)
    np.savez(path, K=np.eye(3), pose=np.eye(4), found=depth)
    assert np.array_equal(read_depth(path), depth)
    np.savez_compressed(path, depth=depth[None], confidence=depth / 30)
    assert np.array_equal(read_depth(path), depth)
    savers = [lambda: np.savez(path, near=depth, far=depth), lambda: np.savez(path, K=np.eye(3))]
    for save in savers:
        save()
        with pytest.raises(InputError, match="cannot be told"):
            read_depth(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="can be read"):
        read_depth(path)


def test_middlebury_and_kitti_conventions(tmp_path):
    write_disparity(tmp_path / "d.pfm", np.array([[np.nan, 5]], np.float32))
    assert read_raw(tmp_path / "d.pfm").tolist() == [[np.inf, 5]]
    write_disparity(tmp_path / "d.png", np.array([[np.nan, 5.5]], np.float32))
    assert read_raw(tmp_path / "d.png").tolist() == [[0, 1408]]
    cv2.imwrite(str(tmp_path / "kinect.png"), np.array([[0, 65535, 1500]], np.uint16))
    depth = read_depth(tmp_path / "kinect.png")
    assert np.isnan(depth[0, :2]).all()
    assert depth[0, 2] == pytest.approx(1.5)


def test_no_depth_is_zero_or_negative(tmp_path):
    np.save(tmp_path / "z.npy", np.array([[0, -1, 2]], np.float64))
    assert np.isnan(read_depth(tmp_path / "z.npy")).tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.npy", lambda p: np.save(p, np.zeros(5)), "1-dimensional"),
        ("a.npy", lambda p: p.write_bytes(b"x"), "cannot|can be read|not a depth"),
        ("a.pfm", lambda p: p.write_bytes(b"PF x"), "not a depth map"),
        ("a.png", lambda p: cv2.imwrite(str(p), np.zeros((4, 4), np.uint8)), "8 bits"),
        ("a.png", lambda p: cv2.imwrite(str(p), np.arange(48, dtype=np.uint16).reshape(4, 4, 3)), "has colours"),
        ("a.txt", lambda p: p.write_text("1 2 3"), "not a depth map"),
    ],
)
def test_what_is_no_depth_map_is_refused(tmp_path, name, make, message):
    make(tmp_path / name)
    with pytest.raises(InputError, match=message) as error:
        read_depth(tmp_path / name)
    assert error.value.hint


def test_a_scale_must_be_positive(tmp_path):
    with pytest.raises(InputError, match="scale"):
        read_depth(tmp_path / "a.png", 0)


def test_exr_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
    (tmp_path / "a.exr").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match="exr"):
        read_depth(tmp_path / "a.exr")


def test_exr_depth_is_read(tmp_path, values):
    exr = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    header = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
    with exr.File(header, {"Z": np.nan_to_num(values)}) as file:
        file.write(str(tmp_path / "a.exr"))
    assert np.array_equal(read_depth(tmp_path / "a.exr"), values, equal_nan=True)


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 0)])
def test_maps_that_are_only_more_where_nearer_get_an_assumed_range(tmp_path, dtype, largest):
    share = np.tile(np.linspace(0.1, 0.7, 200), (50, 1))
    values = (share * largest if largest else share * 40 - 3).astype(dtype)
    path = tmp_path / ("a.tif" if dtype is np.float32 else "a.png")
    cv2.imwrite(str(path), values)
    inverse, sigma = read_inverse_depth(path, affine=True)
    expected = 0.1 + 0.9 * np.clip((share - 0.103) / 0.594, 0, 1)
    assert np.abs(inverse - expected).max() < (0.02 if dtype is np.uint8 else 0.005)
    assert inverse.min() == pytest.approx(1 / ASSUMED_FAR_M)
    assert inverse.max() == pytest.approx(1 / ASSUMED_NEAR_M)
    assert sigma == pytest.approx(0.9 / 0.594 / largest / 12**0.5 if largest else 0, rel=0.02)


def test_inverse_depth_is_taken_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[2, 0.5, 0, np.nan]], np.float32))
    inverse, _ = read_inverse_depth(tmp_path / "a.npy", affine=False)
    assert np.array_equal(inverse, np.array([[2, 0.5, np.nan, np.nan]], np.float32), equal_nan=True)
    np.save(tmp_path / "flat.npy", np.ones((4, 4), np.float32))
    with pytest.raises(InputError, match="same value"):
        read_inverse_depth(tmp_path / "flat.npy", affine=True)
