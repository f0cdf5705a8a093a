"""Tables of numbers as text."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.io.models.text_rows import LARGEST, format_rows


def text(line: str, rows: list[list[float]]) -> str:
    return b"".join(format_rows(line, np.array(rows))).decode("ascii")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-10, "0"),
        (-1e-9, "-0.000000001"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1 / 3, "0.333333"),
        (0.000123456789, "0.000123457"),
        (9.9999996, "10"),
        (99999.96, "100000"),
        (1234567.8, "1234568"),
        (2.0**31 - 1, "2147483647"),
        (LARGEST, "1000000000000000"),
    ],
)
def test_a_number_has_six_digits_or_is_whole(number, shown):
    assert text("{0}", [[number]]) == shown


@pytest.mark.parametrize("scale", [1e-3, 1, 1e4, 1e9])
def test_numbers_are_read_back(scale):
    numbers = np.random.default_rng(0).normal(0, scale, (70_000, 3)).astype(np.float32)  # more than are done at once
    back = np.array(text("{0} {1} {2}\n", numbers.tolist()).split(), float).reshape(-1, 3)
    assert np.all(np.abs(back - numbers) <= np.maximum(5.1e-6 * np.abs(numbers), 5.1e-10))


def test_columns_stand_where_the_line_names_them():
    assert text("f {1}/{1} {0}//{2};\n", [[1, 22, 3], [-4, 5, 6.5]]) == "f 22/22 1//3;\nf 5/5 -4//6.5;\n"
    assert text("{0}", []) == ""
