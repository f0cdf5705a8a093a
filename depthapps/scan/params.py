"""What fusing many views depends on; free of numpy, since the command line reads its defaults here."""

from __future__ import annotations

from dataclasses import dataclass

from depthapps.core.errors import InputError


@dataclass(frozen=True)
class FuseParams:
    """voxel_m: the side of a voxel, None to fit it to the first view. far_m: what is farther is left out."""

    voxel_m: float | None = None
    far_m: float = 8.0

    def __post_init__(self) -> None:
        """Refuse fields that are none."""
        if self.voxel_m is not None and not 0.0005 <= self.voxel_m <= 1:
            raise InputError(f"a voxel of {1000 * self.voxel_m:g} mm was given", hint="5 to 20 suit a room")
