"""Maps as cameras, networks and renderers write them: read for what they mean, or refused with a way on."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest
from conftest import read_raw
from PIL import Image as Pillow
from test_cli import refuse, run

from depthapps import (
    DepthKind,
    InputError,
    MissingExtraError,
    SceneParams,
    open_scene,
    read_depth,
    read_disparity,
    read_image,
    read_inverse_depth,
    write_depth,
    write_image,
)
from depthapps.core.camera import Camera
from depthapps.core.geometry import ray_lengths
from depthapps.io.maps.meaning import Meaning, depth_of
from depthapps.io.maps.raw import read_raw as read_map

HEIGHT, WIDTH, FOCAL = 60, 84, 100.0


@pytest.fixture
def depth() -> np.ndarray:
    """A slope with a box before it, 0.8 to 4 m."""
    depth = np.tile(np.linspace(4, 2, HEIGHT, dtype=np.float32)[:, None], (1, WIDTH))
    depth[34:54, 10:30] = 0.8
    return depth


@pytest.fixture
def photo(tmp_path, depth):
    """A photo of it, whose brightness shows where the box is."""
    path, noise = tmp_path / "photo.png", np.random.default_rng(0).integers(0, 60, (HEIGHT, WIDTH, 3))
    write_image(path, (noise + np.where(depth < 1, 190, 20)[..., None]).astype(np.uint8))
    return path


def written(tmp_path, photo, *arguments, camera=("--focal-px", FOCAL)):
    """The depth that the command makes of these arguments, in metres, and what it prints."""
    out = tmp_path / "written.npy"
    result = run("depth", photo, *arguments, *camera, "--kind", "depth", "-o", out, "--overwrite")
    return np.load(out), result.stderr


def pfm(values, *, scale=b"-1.0", kind=b"Pf", blanks=b"", order="<"):
    """A PFM file of values (h, w) or (h, w, 3)."""
    height, width = values.shape[:2]
    header = b"%s%s\n%d %d%s\n%s%s\n" % (kind, blanks, width, height, blanks, scale, blanks)
    return header + values[::-1].astype(f"{order}f4").tobytes()


# ------------------------------------------------------------------------------------ formats


def test_the_scale_of_a_pfm_is_the_order_of_its_bytes_and_no_unit(tmp_path, depth):
    path = tmp_path / "d.pfm"
    for data in (
        pfm(depth, scale=b"-0.003922"),
        pfm(depth, blanks=b" "),
        pfm(np.dstack([depth] * 3), kind=b"PF", scale=b"255", order=">"),
        pfm(depth).replace(b"Pf\n", b"Pf\n# of a program\n"),
    ):
        path.write_bytes(data)
        assert np.array_equal(read_disparity(path), depth)


@pytest.mark.parametrize(
    "data", [b"Pf\n84 60\n", b"Pf\n4 4\n-1\n" + bytes(63), b"Pf\n0 0\n-1\n", b"Pf\n1 1\n-.-\n    "]
)
def test_a_pfm_that_is_cut_off_is_refused(tmp_path, data):
    (tmp_path / "a.pfm").write_bytes(data)
    with pytest.raises(InputError, match="can be read"):
        read_disparity(tmp_path / "a.pfm")


def test_the_format_is_told_by_the_first_bytes(tmp_path, depth):
    (tmp_path / "depth.bin").write_bytes(pfm(depth))
    np.save(tmp_path / "a.npy", depth)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    (tmp_path / "a.dpt").write_bytes(b"PIEH" + struct.pack("<ii", WIDTH, HEIGHT) + depth.tobytes())
    for name in ("depth.bin", "a.npz", "a.dpt"):
        assert np.array_equal(read_depth(tmp_path / name), depth)
    (tmp_path / "cut.dpt").write_bytes((tmp_path / "a.dpt").read_bytes()[:-1])
    with pytest.raises(InputError, match="can be read"):
        read_depth(tmp_path / "cut.dpt")


@pytest.mark.parametrize("shape", [(1, HEIGHT, WIDTH), (1, 1, HEIGHT, WIDTH), (HEIGHT, WIDTH, 1)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_axes_of_one_are_left_out(tmp_path, photo, depth, shape, dtype):
    np.save(tmp_path / "z.npy", depth.reshape(shape).astype(dtype))
    assert np.allclose(written(tmp_path, photo, "--depth", tmp_path / "z.npy")[0], depth, rtol=2e-3)
    assert np.allclose(open_scene(photo, depth=depth.reshape(shape)).scene.depth_m, depth)


@pytest.mark.parametrize(
    ("intrinsics", "focal"),
    [
        ([[120, 0, 41.5], [0, 120, 29.5], [0, 0, 1]], 120),  # in pixels of the map
        ([[1.5, 0, 0.5], [0, 2.1, 0.5], [0, 0, 1]], 126),  # in shares of the picture, as MoGe writes them
        ([[1200, 0, 420], [0, 1200, 300], [0, 0, 1]], 120),  # of a photo ten times as large, as ARKit writes them
    ],
)
def test_networks_write_intrinsics_beside_their_map(tmp_path, photo, depth, intrinsics, focal):
    np.savez(tmp_path / "net.npz", depth_map=depth[None], conf=np.ones_like(depth), intrinsics=np.array([intrinsics]))
    out = tmp_path / "z.npy"
    result = run("depth", photo, "--depth", tmp_path / "net.npz", "--kind", "depth", "-o", out, "--json")
    assert np.array_equal(np.load(out), depth)
    calibration = json.loads(result.stdout)["calibration"]
    assert calibration["fx_px"] == pytest.approx(focal, rel=0.01)
    assert calibration["cx_px"] == pytest.approx(41.5, abs=0.6)
    assert calibration["assumed"] == []


def test_depth_pro_writes_a_focal_length(tmp_path, photo, depth):
    np.savez(tmp_path / "net.npz", depth=depth, focallength_px=np.float32(130))
    assert open_scene(photo, depth=tmp_path / "net.npz").calibration.camera.fx == pytest.approx(130)
    np.savez(tmp_path / "net.npz", depth=depth, intrinsics=np.eye(3))  # no camera at all
    assert open_scene(photo, depth=tmp_path / "net.npz").calibration.assumed == ("focal length",)


def test_a_disparity_in_an_archive_is_no_depth(tmp_path, photo, depth):
    np.savez(tmp_path / "net.npz", disparity=1 / depth, mask=depth > 1)
    assert "--depth-kind inverse" in written(tmp_path, photo, "--depth", tmp_path / "net.npz")[1]
    found, _ = written(tmp_path, photo, "--depth", tmp_path / "net.npz", "--depth-kind", "inverse")
    assert np.median(np.abs(found / depth - 1)) < 0.01


def exr(path, **channels):
    """Write an EXR file of named channels; dots in the names are written as __."""
    openexr = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    header = {"compression": openexr.ZIP_COMPRESSION, "type": openexr.scanlineimage}
    named = {name.replace("__", "."): np.ascontiguousarray(v) for name, v in channels.items()}
    with openexr.File(header, named) as file:
        file.write(str(path))


def test_an_exr_is_read_whatever_its_channel_is_called(tmp_path, photo, depth):
    other = np.zeros_like(depth)
    path = tmp_path / "z.exr"
    for channels in (
        {"V": depth},
        {"ViewLayer__Depth__Z": depth},
        {"anything": depth},
        {"ViewLayer__Depth__Z": depth, "ViewLayer__Normal__X": other, "ViewLayer__Normal__Z": other},
        {"RGBA": np.dstack([depth, depth, depth, other])},
        {"RGB": np.dstack([depth] * 3), "Z": depth + 1} | {"Z": depth},
        {"Z": depth.astype(np.float16)},
    ):
        exr(path, **channels)
        assert np.allclose(written(tmp_path, photo, "--depth", path)[0], depth, rtol=2e-3), list(channels)
    exr(path, A=depth, B=other)
    with pytest.raises(InputError, match="channels A B") as error:
        read_depth(path)
    assert "Z" in error.value.hint


@pytest.mark.parametrize("mark", [1e10, 65504.0, np.inf, 10000.0])
def test_the_sky_is_infinitely_far_and_no_surface(tmp_path, photo, depth, mark):
    depth[:15] = mark
    np.save(tmp_path / "z.npy", depth)
    found, _ = written(tmp_path, photo, "--depth", tmp_path / "z.npy")
    assert np.isposinf(found[:15]).all()
    assert np.isfinite(found[15:]).all()
    result = run("mesh", photo, "--depth", tmp_path / "z.npy", "-o", tmp_path / "m.ply", "--json", "--focal-px", FOCAL)
    assert max(json.loads(result.stdout)["extent_m"]) < 10


def test_a_wall_far_behind_is_no_sky(tmp_path, photo, depth):
    depth[:15] = 40
    np.save(tmp_path / "z.npy", depth)
    assert np.array_equal(written(tmp_path, photo, "--depth", tmp_path / "z.npy")[0], depth)


def hdf5(path, userblock=b"", **arrays):
    h5py = pytest.importorskip("h5py", reason="the extra hdf5 is not installed")
    with h5py.File(path, "w", userblock_size=512 if userblock else 0) as file:
        for name, values in arrays.items():
            file[name.replace("__", "/")] = values
    if userblock:
        data = path.read_bytes()
        path.write_bytes(userblock.ljust(512) + data[512:])


def test_hdf5_of_nyu_and_hypersim(tmp_path, photo, depth):
    hdf5(tmp_path / "00001.h5", depth=depth, rgb=np.zeros((3, HEIGHT, WIDTH), np.uint8))
    assert np.array_equal(read_depth(tmp_path / "00001.h5"), depth)
    path = tmp_path / "frame.0000.depth_meters.hdf5"
    hdf5(path, dataset=depth.astype(np.float16))
    assert "--depth-kind distance" in written(tmp_path, photo, "--depth", path)[1]
    assert "--depth-kind" not in written(tmp_path, photo, "--depth", path, "--depth-kind", "distance")[1]
    hdf5(tmp_path / "nested.h5", group__depth=depth, group__camera__K=np.eye(3))
    assert np.array_equal(read_depth(tmp_path / "nested.h5"), depth)


def test_matlab_files(tmp_path, depth):
    scipy_io = pytest.importorskip("scipy.io", reason="the extra hdf5 is not installed")
    scipy_io.savemat(tmp_path / "a.mat", {"depth": depth, "rgb": np.zeros((HEIGHT, WIDTH, 3), np.uint8)})
    assert np.array_equal(read_depth(tmp_path / "a.mat"), depth)
    hdf5(tmp_path / "b.mat", b"MATLAB 7.3 MAT-file", depth=depth.T)
    assert np.array_equal(read_depth(tmp_path / "b.mat"), depth)
    hdf5(tmp_path / "nyu.mat", b"MATLAB 7.3 MAT-file", depths=np.zeros((5, WIDTH, HEIGHT), np.float32))
    with pytest.raises(InputError, match=r"depths \(60x84x5\)"):
        read_depth(tmp_path / "nyu.mat")
    (tmp_path / "cut.mat").write_bytes((tmp_path / "a.mat").read_bytes()[:200])
    with pytest.raises(InputError, match=r"cannot be told|can be read"):
        read_depth(tmp_path / "cut.mat")


@pytest.mark.parametrize(
    ("name", "start", "module"), [("a.h5", b"\x89HDF\r\n", "h5py"), ("a.mat", b"MATLAB 5.0", "scipy.io")]
)
def test_hdf5_names_its_extra(tmp_path, monkeypatch, name, start, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    if module == "scipy.io":
        monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    (tmp_path / name).write_bytes(start)
    with pytest.raises(MissingExtraError, match="hdf5") as error:
        read_depth(tmp_path / name)
    assert error.value.hint == "pip install 'depthapps[hdf5]'"


def test_grey_may_be_saved_in_colours_and_with_opacity(tmp_path, photo, depth):
    grey = np.rint(depth / 4 * 255).astype(np.uint8)
    tinted = np.dstack([grey, grey, grey]).astype(int) + np.array([2, 0, -2])
    cv2.imwrite(str(tmp_path / "a.jpg"), np.clip(tinted, 0, 255).astype(np.uint8))
    millimetres = np.rint(depth * 1000).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([*[millimetres] * 3, np.full_like(millimetres, 65535)]))
    found, _ = written(tmp_path, photo, "--depth", tmp_path / "a.jpg", "--depth-scale", 63.75)
    assert np.median(np.abs(found - depth)) < 0.03
    assert np.allclose(written(tmp_path, photo, "--depth", tmp_path / "a.png")[0], depth, atol=1e-3)
    cv2.imwrite(str(tmp_path / "jet.png"), cv2.applyColorMap(grey, cv2.COLORMAP_JET))
    assert "has colours" in refuse("depth", tmp_path, photo, "--depth", tmp_path / "jet.png", "-o", tmp_path / "z.npy")


@pytest.mark.parametrize("name", ["png16", "png8", "tiff16", "tiff8", "grey", "two bands"])
def test_what_is_transparent_in_a_map_is_unknown(tmp_path, depth, name):
    whole = name in ("png16", "tiff16", "two bands")
    numbers = np.rint(depth * (1000 if whole else 60)).astype(np.uint16 if whole else np.uint8)
    opacity = np.full_like(numbers, 65535 if whole else 255)
    opacity[:9] = 0  # a renderer leaves what was not hit transparent, with any number in it
    path = tmp_path / ("a.tif" if name in ("tiff16", "tiff8", "two bands") else "a.png")
    if name == "two bands":
        tifffile = pytest.importorskip("tifffile", reason="the extra bands is not installed")
        tifffile.imwrite(path, np.dstack([numbers, opacity]), photometric="minisblack", extrasamples=["unassalpha"])
    elif name == "grey":
        Pillow.fromarray(np.dstack([numbers, opacity])).save(path)
    elif name == "tiff8":
        Pillow.fromarray(np.dstack([*[numbers] * 3, opacity])).save(path)
    else:
        cv2.imwrite(str(path), np.dstack([*[numbers] * 3, opacity]))
    scale = 1000 if whole else 60
    for found in (read_depth(path, scale), read_disparity(path, scale), 1 / read_inverse_depth(path, affine=False)[0]):
        assert np.isnan(found[:9]).all()
        assert np.isfinite(found[9:]).all()
    assert read_depth(path, scale)[9:] == pytest.approx(depth[9:], abs=0.01)
    raw = read_map(path, "depth map")
    assert raw.note is not None
    assert "15 % of the depth map" in raw.note
    affine = depth_of(raw, Meaning(DepthKind.AFFINE, near_m=1, far_m=2))
    assert np.isnan(affine.values[:9]).all()


def test_a_map_of_sky_alone_beside_a_photo_on_its_head_gives_no_foreign_words(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 3
    Pillow.new("RGB", (WIDTH, HEIGHT), "white").save(tmp_path / "a.jpg", exif=exif)
    with pytest.raises(InputError, match="no known depth"):
        open_scene(tmp_path / "a.jpg", depth=np.full((HEIGHT, WIDTH), np.inf, np.float32))


def test_a_map_that_is_transparent_everywhere_keeps_its_numbers(tmp_path, depth):
    numbers = np.rint(depth * 1000).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([*[numbers] * 3, np.zeros_like(numbers)]))
    assert np.isfinite(read_depth(tmp_path / "a.png")).all()


# ------------------------------------------------------------------------------------ meaning


def test_fixed_point_disparity_is_divided_and_said(tmp_path, photo):
    disparity = np.tile(np.linspace(4, 20, WIDTH), (HEIGHT, 1))
    fixed = np.rint(disparity * 16).astype(np.int16)
    fixed[0] = -16  # OpenCV's mark of what is not matched
    np.save(tmp_path / "d.npy", fixed)
    result = run("depth", photo, "--disparity", tmp_path / "d.npy", "-o", tmp_path / "out.npy")
    assert "int16: divided by 16" in result.stderr
    found = np.load(tmp_path / "out.npy")
    assert np.isnan(found[0]).all()
    assert np.abs(found[1:] - disparity[1:]).max() < 0.04
    np.save(tmp_path / "d.npy", (disparity * 16).astype(np.float32))
    arguments = ("depth", photo, "--disparity", tmp_path / "d.npy", "-o", tmp_path / "out.npy", "--overwrite")
    assert "--disparity-scale tells" in run(*arguments).stderr
    run(*arguments, "--disparity-scale", 16)
    assert np.allclose(np.load(tmp_path / "out.npy"), disparity, atol=1e-4)


def test_eight_bits_of_disparity_need_their_scale(tmp_path, photo):
    disparity = np.tile(np.linspace(4, 20, WIDTH), (HEIGHT, 1))
    cv2.imwrite(str(tmp_path / "d.pgm"), np.rint(disparity * 4).astype(np.uint8))
    arguments = ("depth", photo, "--disparity", tmp_path / "d.pgm", "-o", tmp_path / "out.npy")
    result = run(*arguments, code=1)
    assert "--disparity-scale" in result.stderr.splitlines()[-1]
    run(*arguments, "--disparity-scale", 4)
    assert np.abs(np.load(tmp_path / "out.npy") - disparity).max() < 0.13
    units = np.rint(disparity * 4).astype(np.uint8)
    opened = open_scene(photo, disparity=units, params=SceneParams(disparity_scale=4))  # pyright: ignore[reportArgumentType]
    assert np.array_equal(opened.disparity_px, np.load(tmp_path / "out.npy"))
    with pytest.raises(InputError, match="positive"):
        read_disparity(tmp_path / "d.pgm", 0)


def test_negative_disparities_can_be_inverted(tmp_path, photo):
    disparity = np.tile(np.linspace(4, 20, WIDTH, dtype=np.float32), (HEIGHT, 1))
    np.save(tmp_path / "d.npy", -disparity)
    assert np.array_equal(read_disparity(tmp_path / "d.npy", invert=True), disparity)


def test_absurd_metres_get_a_note_with_the_flag_that_helps(tmp_path, photo, depth):
    np.save(tmp_path / "mm.npy", depth * 1000)
    assert "--depth-scale" in written(tmp_path, photo, "--depth", tmp_path / "mm.npy")[1]
    found, told = written(tmp_path, photo, "--depth", tmp_path / "mm.npy", "--depth-scale", 1000)
    assert np.allclose(found, depth)
    assert "--depth-scale" not in told
    np.save(tmp_path / "unit.npy", (depth - 0.8) / 3.2)
    assert "--depth-kind affine" in written(tmp_path, photo, "--depth", tmp_path / "unit.npy")[1]
    np.save(tmp_path / "m.npy", depth)
    assert "note:" not in written(tmp_path, photo, "--depth", tmp_path / "m.npy")[1]


def test_floats_in_metres_can_be_written_in_another_unit(tmp_path, photo, depth):
    np.save(tmp_path / "m.npy", depth)
    out = tmp_path / "tum.png"
    result = run("depth", photo, "--depth", tmp_path / "m.npy", "--kind", "depth", "--depth-scale", 5000, "-o", out)
    assert "holds metres" in result.stderr
    assert np.allclose(read_depth(out, 5000), depth, atol=1e-3)


def test_distance_along_the_rays_becomes_depth(tmp_path, photo, depth):
    along = depth * ray_lengths(Camera.centred(WIDTH, HEIGHT, FOCAL))
    np.save(tmp_path / "r.npy", along)
    kind = ("--depth-kind", "distance")
    assert np.allclose(written(tmp_path, photo, "--depth", tmp_path / "r.npy", *kind)[0], depth, rtol=1e-5)
    assert "field of view" in run("bokeh", photo, "--depth", tmp_path / "r.npy", *kind, "-o", tmp_path / "b.png").stderr
    large = tmp_path / "large.png"
    write_image(large, np.full((2 * HEIGHT, 2 * WIDTH, 3), 90, np.uint8))
    found, _ = written(tmp_path, large, "--depth", tmp_path / "r.npy", *kind, camera=("--focal-px", 2 * FOCAL))
    assert np.median(np.abs(found[::2, ::2] / depth - 1)) < 0.01


def _order(found, depth) -> float:
    """Correlation of the ranks of two maps, and so whether near is near."""
    ranks = [v.ravel().argsort().argsort() for v in (found, depth)]
    return float(np.corrcoef(*ranks)[0, 1])


def test_dark_may_be_near(tmp_path, photo, depth):
    cv2.imwrite(str(tmp_path / "z.png"), np.rint((depth - 0.8) / 3.2 * 255).astype(np.uint8))
    given = ("--depth", tmp_path / "z.png", "--depth-kind")
    result = run("depth", photo, *given[:2], "-o", tmp_path / "z.npy", code=1)
    assert "--depth-kind affine if bright is far" in result.stderr
    found, told = written(tmp_path, photo, *given, "affine")
    assert _order(found, depth) > 0.9
    assert "depths from 1 to 10 m (--near, --far)" in told
    assert _order(written(tmp_path, photo, *given, "affine-inverse", "--invert")[0], depth) > 0.9
    assert _order(written(tmp_path, photo, *given, "affine-inverse")[0], depth) < -0.9
    found, told = written(tmp_path, photo, *given, "affine", "--near", 0.8, "--far", 4)
    assert np.median(np.abs(found - depth)) < 0.05
    assert "guess" not in told


def test_affine_floats_may_have_a_sky(tmp_path, photo, depth):
    depth[:15] = np.inf
    np.save(tmp_path / "z.npy", depth * 3 + 1)
    found, _ = written(tmp_path, photo, "--depth", tmp_path / "z.npy", "--depth-kind", "affine")
    assert np.isposinf(found[:12]).all()
    assert np.isfinite(found[20:]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
@pytest.mark.parametrize("far", [None, 100.0])
@pytest.mark.parametrize("invert", [False, True])
def test_z_buffers_of_renderers(tmp_path, photo, depth, dtype, far, invert):
    near = 0.3
    share = near / depth if far is None else near / (far - near) * (far / depth - 1)
    share[:5] = 0  # nothing was drawn there
    share = 1 - share if invert else share
    largest = 65535 if dtype is np.uint16 else 1
    np.save(tmp_path / "z.npy", (np.rint(share * largest) if largest > 1 else share).astype(dtype))
    ends = ["--near", near, *(["--far", far] if far else []), *(["--invert"] if invert else [])]
    found, _ = written(tmp_path, photo, "--depth", tmp_path / "z.npy", "--depth-kind", "reversed-z", *ends)
    assert np.isposinf(found[:4]).all()
    assert np.median(np.abs(found[6:] / depth[6:] - 1)) < 0.01


def test_a_z_buffer_needs_its_near_plane(tmp_path, photo, depth):
    np.save(tmp_path / "z.npy", depth)
    given = ("--depth", tmp_path / "z.npy", "--depth-kind", "reversed-z", "-o", tmp_path / "out.npy")
    assert "--near" in run("depth", photo, *given, code=1).stderr.splitlines()[-1]
    assert "a z-buffer 0 to 1" in refuse("depth", tmp_path, photo, *given, "--near", 0.3)


@pytest.mark.parametrize(
    "wrong",
    [{"near_m": 1.0}, {"near_m": 3.0, "far_m": 2.0, "depth_kind": DepthKind.AFFINE},
     {"far_m": -1.0, "depth_kind": DepthKind.AFFINE}],
)  # fmt: skip
def test_ends_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match=r"belong to|between"):
        SceneParams(**wrong)


def test_a_map_on_its_side_is_told_so(tmp_path, photo, depth):
    np.save(tmp_path / "z.npy", depth.T)
    result = run("depth", photo, "--depth", tmp_path / "z.npy", "-o", tmp_path / "out.npy", code=1)
    assert "on its side" in result.stderr.splitlines()[-1]


def test_negative_depth_names_the_way_out(tmp_path, photo, depth):
    np.save(tmp_path / "z.npy", -depth)
    result = run("depth", photo, "--depth", tmp_path / "z.npy", "-o", tmp_path / "out.npy", code=1)
    assert "--invert changes" in result.stderr.splitlines()[-1]  # a flag, which takes no value
    assert np.array_equal(written(tmp_path, photo, "--depth", tmp_path / "z.npy", "--invert")[0], depth)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_map_of_the_photo_as_stored_is_turned_alike(tmp_path, photo, depth, orientation):
    stored = read_raw(photo)[..., ::-1]
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(stored).save(tmp_path / "turned.png", exif=exif)
    np.save(tmp_path / "z.npy", depth)
    found, told = written(tmp_path, tmp_path / "turned.png", "--depth", tmp_path / "z.npy")
    assert "turned upright" in told
    upright = read_image(tmp_path / "turned.png")
    assert found.shape == upright.shape[:2]
    assert upright[found < 1].mean() > 150  # the box is bright
    np.save(tmp_path / "upright.npy", found)
    again, told = written(tmp_path, tmp_path / "turned.png", "--depth", tmp_path / "upright.npy")
    assert "turned" not in told
    assert np.array_equal(again, found)


@pytest.mark.parametrize("shape", [(4, 50), (3, 3), (2, 9), (1, 9), (3, 1), (1, 1)])
def test_a_map_of_our_own_that_is_as_small_as_a_matrix_is_read(tmp_path, shape):
    depth = np.arange(1, 1 + shape[0] * shape[1], dtype=np.float32).reshape(shape)
    write_depth(tmp_path / "small.npz", depth, camera=Camera.from_fov(shape[1], shape[0], 60))
    assert np.array_equal(read_depth(tmp_path / "small.npz"), depth)


@pytest.mark.parametrize(
    "arrays",
    [
        {"depth_to_color": np.eye(4), "rgb": np.ones((40, 50, 3))},
        {"depth_K": np.eye(3)},
        {"depth": np.eye(3), "rgb": np.ones((40, 50, 3))},
        {"depth": np.ones((2, 60, 80)), "depth_range": np.ones((2, 2))},
    ],
)
def test_a_matrix_is_no_map(tmp_path, arrays):
    np.savez(tmp_path / "rig.npz", **arrays)
    with pytest.raises(InputError, match="cannot be told"):
        read_depth(tmp_path / "rig.npz")
