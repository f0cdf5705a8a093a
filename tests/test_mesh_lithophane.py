"""A lithophane is a closed plate of the photo's outline, through which light shows the photo."""

from __future__ import annotations

import numpy as np
import pytest
from test_cli import run

import depthapps as da
from depthapps.mesh.lithophane import THICKEST_MM, THINNEST_MM, build_lithophane


def plate(image: np.ndarray, size_mm: float = 120.0) -> da.PrintableSolid:
    return build_lithophane(image, da.PrintParams(size_mm=size_mm, lithophane=True))


def heights(solid: da.PrintableSolid) -> dict[tuple[float, float], float]:
    """How thick the plate is at the places of its front's vertices, millimetres."""
    return {(round(float(x), 1), round(float(y), 1)): float(z) for x, y, z in solid.vertices if z > 0}


@pytest.fixture
def ramp() -> np.ndarray:
    """Ten times as bright at the right as at the left, evenly in the logarithm of light; darker in the lower half."""
    linear = np.float32(0.1) ** (1 - np.arange(120, dtype=np.float32) / 119)
    rows = np.repeat(linear[None], 80, axis=0)
    rows[40:] *= 0.5
    encoded = np.where(rows > 0.0031308, 1.055 * rows ** (1 / 2.4) - 0.055, 12.92 * rows)
    return np.repeat((255 * encoded).round().astype(np.uint8)[..., None], 3, axis=2)


def test_the_plate_is_closed_and_as_large_as_asked(ramp):
    solid = plate(ramp)
    assert solid.watertight
    extent = np.ptp(solid.vertices, axis=0)
    assert extent[0] == pytest.approx(120)
    assert extent[1] == pytest.approx(120 * 79 / 119)
    assert (solid.vertices[:, 2].min(), solid.vertices[:, 2].max()) == (0, pytest.approx(THICKEST_MM, abs=0.01))
    assert min(heights(solid).values()) == pytest.approx(THINNEST_MM, abs=0.01)


def test_light_through_the_plate_shows_the_photo(ramp):
    found = heights(plate(ramp, 119.0))  # a pixel a millimetre
    upper = [(x, z) for (x, y), z in found.items() if y > 42 and 5 < x < 114]
    x, z = np.array(upper).T
    slope, start = np.polyfit(x, z, 1)
    assert slope < 0  # thinner to the right, where it is bright
    assert np.abs(z - slope * x - start).max() < 0.05  # linear in the logarithm of light
    lower = np.array([z for (x, y), z in found.items() if y < 36 and 50 < x < 70])
    above = np.array([z for (x, y), z in found.items() if y > 44 and 50 < x < 70])
    assert lower.mean() > above.mean() + 0.3  # not upside down


@pytest.mark.parametrize(("level", "thickness"), [(90, THINNEST_MM), (0, THICKEST_MM)])
def test_a_photo_of_one_brightness_is_a_flat_plate(level, thickness):
    solid = plate(np.full((80, 120, 3), level, np.uint8))
    assert solid.watertight
    assert list(heights(solid).values()) == pytest.approx([thickness] * len(heights(solid)))


def test_shadows_deeper_than_the_plate_shows_do_not_flatten_the_rest(ramp):
    ramp[:, :30] = 0
    found = heights(plate(ramp, 119.0))
    assert max(found.values()) == pytest.approx(THICKEST_MM, abs=0.01)
    assert np.mean([z for (x, y), z in found.items() if y > 42 and 55 < x < 65]) < 2


def test_a_large_photo_has_no_more_samples_than_a_nozzle_prints():
    image = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    solid = build_lithophane(image, da.PrintParams(size_mm=20, lithophane=True))
    assert len(heights(solid)) == 100 * 67


@pytest.mark.parametrize("shape", [(2, 2), (6, 8), (20, 30)])
def test_the_smallest_plates_keep_their_corners(shape):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    solid = da.make_print(image, da.PrintParams(90, 4, lithophane=True)).solid
    assert solid.watertight
    across = max(shape) - 1
    assert np.ptp(solid.vertices, axis=0)[:2] == pytest.approx(
        [90 * (shape[1] - 1) / across, 90 * (shape[0] - 1) / across]
    )
    front = solid.vertices[solid.vertices[:, 2] > 0]
    assert np.ptp(front, axis=0)[:2] == pytest.approx(np.ptp(solid.vertices, axis=0)[:2])


def test_what_makes_no_lithophane_is_refused(tmp_path, ramp):
    with pytest.raises(da.InputError, match="no relief"):
        da.PrintParams(lithophane=True, relief=0.5)
    with pytest.raises(da.InputError, match="shows nothing"):
        plate(ramp, 0.1)
    da.write_image(tmp_path / "p.png", ramp)
    da.write_depth(tmp_path / "z.npy", np.full(ramp.shape[:2], 2, np.float32))
    photo = ("mesh", tmp_path / "p.png", "--depth", tmp_path / "z.npy", "--fov", "60", "--preset", "lithophane")
    run(*photo, "-o", tmp_path / "a.stl", "-o", tmp_path / "a.3mf")
    assert {p.name for p in tmp_path.iterdir()} == {"p.png", "z.npy", "a.stl", "a.3mf"}
    run("mesh", tmp_path / "p.png", "--preset", "lithophane", "-o", tmp_path / "c.stl")  # one photo is enough
    assert (tmp_path / "c.stl").read_bytes() == (tmp_path / "a.stl").read_bytes()
    assert "a print cannot take" in run(*photo, "-o", tmp_path / "b.glb", code=1).stderr
    assert "no relief" in run(*photo, "-o", tmp_path / "b.stl", "--relief", "0.5", code=1).stderr


def test_options_of_the_camera_are_refused_as_a_plate_has_no_use_for_them(tmp_path, ramp):
    da.write_image(tmp_path / "p.png", ramp)
    da.write_depth(tmp_path / "z.npy", np.full(ramp.shape[:2], 2, np.float32))
    photo = ("mesh", tmp_path / "p.png", "-o", tmp_path / "a.stl", "--preset", "lithophane")
    told = run(*photo, "-c", tmp_path / "none.txt", "--fov", 60, code=1).stderr
    assert "--calibration, --fov would change nothing" in told
    assert "hint: leave them out, or pass --preset print" in told
    assert "--matcher would change nothing" in run(*photo, "--matcher", "own.onnx", code=1).stderr
    assert not (tmp_path / "a.stl").exists()
    note = "what tells its depth changes nothing"
    assert note in run(*photo, "--depth", tmp_path / "z.npy", "--fov", 60).stderr
    assert note not in run(*photo, "--overwrite").stderr
