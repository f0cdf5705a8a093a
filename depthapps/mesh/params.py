"""Parameters of mesh simplification and of printed solids.

This module does not import numpy, because the command line's help reads the defaults from here and must start fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthapps.core.errors import InputError, param


@dataclass(frozen=True)
class SimplifyParams:
    """How far a mesh is simplified: until one of the two limits is reached, or not at all if both are None.

    max_triangles: the number of triangles to reach, 4 or more. max_error_pct: the largest error of depth, in percent of
    the depth, between 0 and 100; pixels at depth edges are not measured.
    """

    max_triangles: int | None = None
    max_error_pct: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that leave nothing."""
        if self.max_triangles is not None and not 4 <= self.max_triangles < math.inf:
            raise InputError(f"{self.max_triangles} triangles are no surface", hint="allow 1000 or more")
        if self.max_error_pct is not None and not 0 < self.max_error_pct < 100:
            raise InputError(
                f"an error of {self.max_error_pct:g} % was allowed, it must lie between 0 and 100",
                hint="0.1 is a millimetre at a metre",
            )


WEB = SimplifyParams(max_triangles=80_000)
"""Limits for viewers on phones: with normals and texture coordinates the mesh takes 2.5 MB."""


_LARGEST_MM = 10_000  # ten metres: what is printed in parts, too


@dataclass(frozen=True)
class PrintParams:
    """Size and detail of a printed solid.

    size_mm: its longest side in millimetres, above 0 and at most 10 000. max_triangles: the most triangles of a
    relief's front, or of a whole shell; 4 or more. relief: share of the true depth that a relief keeps, above 0 and at
    most 1. lithophane: make a plate that shows the photo when light shines through it, instead of a relief.
    """

    size_mm: float = 100.0
    max_triangles: int = 200_000
    relief: float = 1.0
    lithophane: bool = False

    def __post_init__(self) -> None:
        """Refuse a size or a number of triangles that makes no solid."""
        if self.size_mm > _LARGEST_MM:
            raise InputError(
                f"a size of {self.size_mm:g} mm was given, which no printer makes", hint="sizes are in millimetres"
            )
        if not self.size_mm > 0:
            raise InputError(
                f"a size of {self.size_mm:g} mm was given, it must be positive",
                hint=f"change {param('size_mm')}: 100 is a hand wide",
            )
        if not 4 <= self.max_triangles < math.inf:
            raise InputError(f"{self.max_triangles} triangles are no solid", hint="allow 1000 or more")
        if not 0 < self.relief <= 1:
            raise InputError(f"a relief of {self.relief:g} was given, it lies between 0 and 1", hint="1 is true depth")
        if self.lithophane and self.relief != 1:
            raise InputError(
                "a lithophane is as thick as the photo is dark, and has no relief", hint=f"leave {param('relief')} out"
            )
