"""Bands cover a picture once, whatever its height."""

import pytest

from depthapps.runtime.threads import for_bands


@pytest.mark.parametrize("height", [0, 1, 31, 32, 33, 500])
def test_bands_cover_every_row_once(height):
    rows = []
    for_bands(height, lambda first, end: rows.extend(range(first, end)))
    assert sorted(rows) == list(range(height))


def test_an_error_in_a_band_is_raised():
    def fail(first, end):
        raise RuntimeError(first)

    with pytest.raises(RuntimeError):
        for_bands(10, fail)
