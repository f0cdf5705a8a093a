"""What a model of one view depends on; free of numpy, since the command line reads its defaults here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthapps.core.errors import InputError


@dataclass(frozen=True)
class SimplifyParams:
    """How far a mesh is simplified: to this many triangles, or as far as the error allows, whichever is reached first.

    max_error_pct: the largest error of depth, in percent of it, away from borders.
    """

    max_triangles: int | None = None
    max_error_pct: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that leave nothing."""
        if self.max_triangles is not None and self.max_triangles < 4:
            raise InputError(f"{self.max_triangles} triangles are no surface", hint="allow 1000 or more")
        if self.max_error_pct is not None and not 0 < self.max_error_pct < 100:
            raise InputError(
                f"an error of {self.max_error_pct:g} % was allowed, it must lie between 0 and 100",
                hint="0.1 is a millimetre at a metre",
            )


WEB = SimplifyParams(max_triangles=80_000)
"""For viewers on phones: with normals and texture coordinates 2.5 MB."""


@dataclass(frozen=True)
class PrintParams:
    """size_mm: the longest side of the solid. max_triangles: of its front."""

    size_mm: float = 100.0
    max_triangles: int = 200_000

    def __post_init__(self) -> None:
        """Refuse solids that are none."""
        if not 0 < self.size_mm < math.inf:
            raise InputError(f"a size of {self.size_mm:g} mm was given, it must be positive", hint="100 is a hand wide")
        if self.max_triangles < 4:
            raise InputError(f"{self.max_triangles} triangles are no solid", hint="allow 1000 or more")
