"""Parameters of fusing many views.

This module does not import numpy, because the command line's help reads the defaults from here and must start fast.
"""

from __future__ import annotations

from dataclasses import dataclass

from depthapps.core.errors import InputError


@dataclass(frozen=True)
class FuseParams:
    """Resolution and range of the distance field in which views are fused.

    voxel_m: side of a voxel in metres, 0.0005 to 1; None fits it to the first view. far_m: pixels beyond this depth, in
    metres, are left out.
    """

    voxel_m: float | None = None
    far_m: float = 8.0

    def __post_init__(self) -> None:
        """Refuse voxels outside the usable range."""
        if self.voxel_m is not None and not 0.0005 <= self.voxel_m <= 1:
            raise InputError(f"a voxel of {1000 * self.voxel_m:g} mm was given", hint="5 to 20 suit a room")
