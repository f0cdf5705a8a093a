"""The sRGB curve is exact, and pictures survive the way through linear light."""

import numpy as np
import pytest

from depthapps.core.color import from_linear, srgb_decode, srgb_encode, to_8bit, to_linear


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_code_survives_linear_light(dtype):
    codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 1, 1).repeat(3, axis=2)
    assert np.array_equal(from_linear(to_linear(codes), dtype), codes)


def test_known_values():  # IEC 61966-2-1
    assert srgb_decode(np.array([0.0, 0.04045, 0.5, 1.0])) == pytest.approx([0, 0.0031308, 0.2140411, 1], abs=1e-6)
    assert srgb_encode(np.array([0.0, 0.0031308, 0.2140411, 1.0, 7.0, -1.0])) == pytest.approx(
        [0, 0.04045, 0.5, 1, 1, 0], abs=1e-5
    )


def test_float_pictures_are_linear_already():
    light = np.array([[[0.0, 0.5, 60.0]]], np.float32)
    assert to_linear(light) is light
    assert np.array_equal(from_linear(light, np.float32), light)


def test_eight_bits_of_other_pictures():
    assert to_8bit(np.array([0, 257, 65535], np.uint16)).tolist() == [0, 1, 255]
    assert to_8bit(np.array([0, 0.25, 2.0], np.float32)).tolist() == [0, 137, 255]
