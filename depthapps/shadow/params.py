"""Lights and how a picture takes them; free of heavy imports, for the command line reads its defaults here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from depthapps.errors import InputError

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class DirectionalLight:
    """A light infinitely far away, such as the sun.

    direction: the way the light travels, in camera axes (X right, Y down, Z forward); its length does not matter.
    angular_size_deg: the diameter that the light shows, 0 for hard shadows; the sun shows 0.53.
    """

    direction: Vector
    angular_size_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a direction that is none."""
        if not 0 < math.hypot(*self.direction) < math.inf:
            raise InputError(
                "the light's direction has no length", hint="--direction 0.5,1,0.3 shines right, down and forward"
            )
        if not 0 <= self.angular_size_deg < 180:
            raise InputError(
                f"the light's angular size is {self.angular_size_deg:g} degrees, it must lie between 0 and 180",
                hint="the sun shows 0.53 degrees, an overcast window 20",
            )

    @classmethod
    def from_angles(cls, azimuth_deg: float, elevation_deg: float, angular_size_deg: float = 0.0) -> DirectionalLight:
        """The light that stands at an azimuth (0 behind the camera, 90 at its right) and elevation over the horizon.

        The horizon is that of a level camera: the camera's own X and Z axes.
        """
        azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
        across = math.cos(elevation)
        direction = -across * math.sin(azimuth), math.sin(elevation), across * math.cos(azimuth)
        return cls(direction, angular_size_deg)


@dataclass(frozen=True)
class PointLight:
    """A lamp: position in camera axes, in metres, and size_m, its diameter, 0 for hard shadows."""

    position: Vector
    size_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a lamp of negative size."""
        if not 0 <= self.size_m < math.inf:
            raise InputError(f"the light's size is {self.size_m:g} m, it cannot be negative", hint="0 is a point")


Light = DirectionalLight | PointLight


@dataclass(frozen=True)
class RelightParams:
    """How strongly a light changes the picture.

    A surface that faces the light and sees it is multiplied by ambient + intensity, one in shadow by ambient; a
    point light's intensity holds at the median distance of the scene and falls with the square of the distance.
    strength blends between the picture as it is (0) and this (1). color: linear RGB of the light.
    """

    intensity: float = 1.0
    ambient: float = 0.25  # the shadow side of a sunlit outdoor scene gets a fifth to a third of the light
    strength: float = 1.0
    color: Vector = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse negative light."""
        for name, value in (("intensity", self.intensity), ("ambient", self.ambient), ("color", min(self.color))):
            if not 0 <= value < math.inf:
                raise InputError(f"the light's {name} is {value:g}, it cannot be negative", hint="1 is the usual light")
        if not 0 <= self.strength <= 1:
            raise InputError(
                f"the strength is {self.strength:g}, it must lie between 0 and 1", hint="1 is the full effect"
            )
