"""Bring the contents of a calibration file into the shapes that the table of names knows.

Dotted names become nested ones, numbers with a name each become vectors, and numbers without a name tell by their zeros
what they are.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Axes in the order in which a mapping of them becomes a vector.
AXES = (
    ("x", "y", "z"), ("w", "x", "y", "z"), ("qw", "qx", "qy", "qz"), ("px", "py", "pz", "qx", "qy", "qz", "qw"),
    ("rx", "ry", "rz"),
)  # fmt: skip
LONGEST_NAME = 200  # characters of a name that are looked at, its last ones: a path may stand before it
# The same numbers among other names, as in tables: what they are together.
_TOGETHER = {"rotation": ("qw", "qx", "qy", "qz"), "translation": ("tx_m", "ty_m", "tz_m")}


def nested(node: Any) -> Any:
    """The same contents with names such as LEFT.K as nested names."""
    if isinstance(node, list):
        return [nested(v) if isinstance(v, (dict, list)) else v for v in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for full, value in node.items():
        key = str(full)[-LONGEST_NAME:]
        parts = (
            [key]
            if re.search(r"\.(png|jpe?g|tiff?|pgm|bmp|heic)$|\s", key, re.IGNORECASE)
            else [p for p in key.split(".") if p]
        )
        into = found
        for part in parts[:-1]:
            if not isinstance(into.get(part), dict):
                into[part] = {}
            into = into[part]
        value, last = nested(value), parts[-1] if parts else ""
        into[last] = {**into[last], **value} if isinstance(value, dict) and isinstance(into.get(last), dict) else value
    return found if set(map(str.lower, found)) in map(set, AXES) else _with_vectors(found)


def _with_vectors(named: dict[str, Any]) -> dict[str, Any]:
    """The same names with vectors in place of numbers that have a name each: qw qx qy qz, or T_0 T_1 T_2."""
    vectors = dict(_TOGETHER)
    for first in (key for key in named if key.endswith("_0")):
        stem, count = first[:-2], 0
        while f"{stem}_{count}" in named:
            count += 1
        if count > 2:  # two are those of two cameras
            vectors[stem] = tuple(f"{stem}_{k}" for k in range(count))
    for vector, names in vectors.items():
        if vector not in named and all(isinstance(named.get(n), (int, float)) for n in names):
            named = {**named, vector: [named[n] for n in names]}
            named = {key: value for key, value in named.items() if key not in names}
    return named


def with_unit(text: str) -> tuple[NDArray[np.floating], str] | None:
    """The number (1,) and the unit of a text such as 12 cm or 700 px; None for other texts."""
    found = re.fullmatch(r"([-+]?[\d.]{1,30})\s?(mm|cm|m|px)(?:ixels?)?", text.strip())
    try:
        return (np.array([float(found[1])]), found[2]) if found else None
    except ValueError:
        return None


def of_unnamed(numbers: NDArray[np.floating]) -> list[tuple[str, NDArray[np.floating], str]]:
    """What numbers without any name are, by their count and their zeros: meaning, numbers and a name for messages.

    A camera matrix row by row, and a baseline in metres or a pose behind it; a projection; Q; fx fy cx cy.
    """
    if numbers.size in (9, 10, 21, 25) and np.array_equal(numbers[6:9], (0, 0, 1)):
        found = [("K", numbers[:9], "the first nine numbers")]
        return [*found, ("baseline_m", numbers[9:], "the tenth number")] if numbers.size == 10 else found
    if numbers.size == 16 and np.array_equal(numbers[8:], (0, 0, 1, 0, 0, 0, 0, 1)):  # ScanNet's K has four rows
        return [("K", numbers[[0, 1, 2, 4, 5, 6, 8, 9, 10]], "the sixteen numbers")]
    if numbers.size == 16 and numbers[0] == numbers[5] == 1 and numbers[11] > 0 and numbers[14]:
        return [("Q", numbers, "the sixteen numbers")]
    if numbers.size == 12 and np.array_equal(numbers[8:], (0, 0, 1, 0)):
        return [("P", numbers, "the twelve numbers")]
    return [("intrinsics", numbers[:4], "the four numbers")] if _are_intrinsics(numbers) else []


def _are_intrinsics(numbers: NDArray[np.floating]) -> bool:
    """Whether numbers are fx fy cx cy, once, in each of many equal rows (Spring), or before a pose (RobotCar)."""
    alike = numbers.size % 4 == 0 and (numbers.reshape(-1, 4) == numbers[:4]).all() if numbers.size >= 4 else False
    posed = numbers.size == 20 and np.array_equal(numbers[16:], (0, 0, 0, 1))
    return bool((alike or posed) and (numbers[:4] > 0).all() and 0.8 < numbers[0] / numbers[1] < 1.25)
