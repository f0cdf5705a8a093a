"""Maps as simulators, data sets and programs code them: in colours, behind other headers, or as text."""

from __future__ import annotations

import gzip
import pickle
import struct
from io import BytesIO

import cv2
import numpy as np
import pytest
from test_cli import refuse, run

from depthapps import InputError, read_depth, read_disparity, write_image

HEIGHT, WIDTH = 60, 84
COLUMNS = np.arange(WIDTH, dtype=np.float32)
DEPTH = np.tile(2 + 0.02 * COLUMNS + 0.0003 * COLUMNS**2, (HEIGHT, 1)).astype(np.float32)
DEPTH[20:40, 30:50] = 1.2
DISPARITY = (60 / DEPTH).astype(np.float32)


def png(values):
    return cv2.imencode(".png", values)[1].tobytes()


def in_colors(number, low_first):
    """24 bits as the three channels of a picture, in OpenCV's order: blue, green, red."""
    number = np.rint(number).astype(np.int64)
    low, middle, high = number & 255, number >> 8 & 255, number >> 16
    return np.dstack([high, middle, low] if low_first else [low, middle, high]).astype(np.uint8)


CARLA = in_colors(DEPTH / 1000 * ((1 << 24) - 1), low_first=True)
SINTEL = in_colors(DISPARITY * (1 << 14), low_first=False)
NEARNESS = ((1 / DEPTH - 0.2) / 0.7 * 255).astype(np.uint8)


@pytest.fixture
def photo(tmp_path):
    write_image(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 250, (HEIGHT, WIDTH, 3), np.uint8))
    return tmp_path / "photo.png"


def saved(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize("alpha", [False, True])
def test_carla_codes_depth_in_three_bytes(tmp_path, photo, alpha):
    """Red is the lowest byte, and white, 1000 m, is the sky."""
    sky = np.full((10, WIDTH, 3), 255, np.uint8)
    picture = np.vstack([sky, CARLA[10:]])
    picture = np.dstack([picture, np.full((HEIGHT, WIDTH), 255, np.uint8)]) if alpha else picture
    path = saved(tmp_path, "depth.png", png(picture))
    found = read_depth(path)
    assert np.isposinf(found[:10]).all()
    assert found[10:] == pytest.approx(DEPTH[10:], abs=1e-4)
    out = tmp_path / "written.npy"
    result = run("depth", photo, "--depth", path, "--focal-px", 100, "--kind", "depth", "-o", out)
    assert "CARLA" in result.stderr
    assert np.load(out)[10:] == pytest.approx(DEPTH[10:], abs=1e-4)


def test_sintel_codes_disparity_in_three_bytes(tmp_path):
    path = saved(tmp_path, "disparity.png", png(SINTEL))
    assert read_disparity(path) == pytest.approx(DISPARITY, abs=1e-4)
    with pytest.raises(InputError, match="red the highest"):
        read_depth(path)
    with pytest.raises(InputError, match="codes 24 bits of depth"):
        read_disparity(saved(tmp_path, "depth.png", png(CARLA)))


def test_halves_of_floats_overflow_nowhere(tmp_path):
    """Warnings are errors in these tests."""
    np.save(tmp_path / "d.npy", DISPARITY.astype(np.float16))
    assert read_disparity(tmp_path / "d.npy") == pytest.approx(DISPARITY, rel=1e-3)


def test_floats_may_be_kept_as_colours(tmp_path):
    """TartanAir's second release."""
    path = saved(tmp_path, "depth.png", png(DEPTH.view(np.uint8).reshape(HEIGHT, WIDTH, 4)))
    assert np.array_equal(read_depth(path), DEPTH)


@pytest.mark.parametrize("colors", [cv2.COLORMAP_JET, cv2.COLORMAP_TURBO, cv2.COLORMAP_INFERNO, cv2.COLORMAP_HSV, None])
@pytest.mark.parametrize("noise", [0, 20])
def test_previews_and_photos_are_no_code(tmp_path, colors, noise):
    grey = np.clip(NEARNESS + np.random.default_rng(1).normal(0, noise, NEARNESS.shape), 0, 255).astype(np.uint8)
    picture = np.dstack([grey, 255 - grey, grey // 2]) if colors is None else cv2.applyColorMap(grey, colors)
    with pytest.raises(InputError, match="has colours"):
        read_depth(saved(tmp_path, "preview.png", png(picture)))


def test_colmap_writes_its_size_as_text(tmp_path):
    holes = np.where(np.arange(HEIGHT)[:, None] < 5, 0, DEPTH).astype("<f4")
    found = read_depth(saved(tmp_path, "a.png.geometric.bin", b"%d&%d&1&" % (WIDTH, HEIGHT) + holes.tobytes()))
    assert np.isnan(found[:5]).all()
    assert np.array_equal(found[5:], DEPTH[5:])
    for data in (b"%d&%d&3&" % (WIDTH, HEIGHT) + bytes(12), b"%d&%d&1&" % (WIDTH, HEIGHT) + bytes(12)):
        with pytest.raises(InputError):
            read_depth(saved(tmp_path, "b.bin", data))


@pytest.mark.parametrize(
    ("name", "between", "units"),
    [("mm.csv", ",", 1000), ("metres.csv", ", ", 1), ("metres.txt", " ", 1), ("metres.csv", ";", 1)],
)
def test_rows_of_numbers(tmp_path, name, between, units):
    """RealSense's viewer writes millimetres with a comma behind each."""
    form = "{:.0f}" if units > 1 else "{:.5f}"
    end = between if units > 1 else ""
    text = "\n".join(between.join(form.format(units * v) for v in row) + end for row in DEPTH)
    mark = "\ufeff" if between == ";" else ""
    assert read_depth(saved(tmp_path, name, (mark + text).encode())) == pytest.approx(DEPTH, abs=1e-3)


def object_array():
    file = BytesIO()
    np.save(file, np.array([{"depth": 1}], dtype=object))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "cause", "step"),
    [
        ("flow.flo", b"PIEH" + struct.pack("<ii", 4, 3) + bytes(96), "optical flow", "save"),
        ("map.pkl", pickle.dumps([1.0]), "pickle", "numpy.save"),
        ("map.npy.gz", gzip.compress(b"x", mtime=0), "compressed", "unpack"),
        ("cloud.ply", b"ply\nformat ascii 1.0\n", "point cloud", "map"),
        ("map.npy", object_array(), "Python objects", "numpy.asarray"),
        ("cut.png", png(CARLA)[:400], "truncated", "copy"),
        ("cut.tif", b"II*\0\x08\0\0\0\x20\0" + bytes(90), "damaged or cut", "copy"),
        ("map.csv", b"x,y,z\n1,2,3\n", "rows", "without names"),
        ("DSC_0259.JPG", DEPTH.tobytes(), "not a depth map", "numpy.fromfile"),
    ],
)
def test_what_is_no_map_is_told_by_what_it_is(tmp_path, name, data, cause, step):
    with pytest.raises(InputError, match=cause) as error:
        read_depth(saved(tmp_path, name, data))
    assert step in error.value.hint
    assert "allow_pickle" not in error.value.message  # no words of the libraries


def test_negative_disparities_name_the_way_out(tmp_path, photo):
    np.save(tmp_path / "right.npy", -DISPARITY)
    error = refuse("depth", tmp_path, photo, "--disparity", tmp_path / "right.npy", "-o", tmp_path / "out.npy")
    assert "negative" in error
    result = run("depth", photo, "--disparity", tmp_path / "right.npy", "--invert", "-o", tmp_path / "out.npy")
    assert result.exit_code == 0
    assert np.load(tmp_path / "out.npy") == pytest.approx(DISPARITY)
