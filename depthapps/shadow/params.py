"""Parameters of lights and of relighting; the command line reads its defaults here, so nothing heavy is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from depthapps.core.errors import InputError, param

Vector = tuple[float, float, float]

_FARTHEST_M = 1e6  # of a lamp, and its largest size: beyond, all its light is parallel
_LONGEST = 1e100  # of a direction, which may have any length as long as its square does not overflow
_BRIGHTEST = 1e6  # of lights, which are 1 where they are as bright as the picture
LARGEST_MAP_PX = 16384  # side of a light's shadow map: a gigabyte
AZIMUTH_DEG, ELEVATION_DEG = -60.0, 40.0  # a sun over the photographer's left shoulder, as in portraits


@dataclass(frozen=True)
class DirectionalLight:
    """A light infinitely far away, such as the sun.

    Attributes
    ----------
    direction : tuple of three floats
        The direction in which the light travels, in camera axes (X right, Y down, Z forward). Any length but 0.
    angular_size_deg : float
        The diameter of the light as seen from the scene, 0 up to 180 degrees. 0 gives hard shadows; the sun has 0.53.
    """

    direction: Vector
    angular_size_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a direction without length and an angular size out of range."""
        if len(self.direction) != 3 or not 0 < math.hypot(*self.direction) <= _LONGEST:
            numbers = f"is not three numbers but {len(self.direction)}" if len(self.direction) != 3 else "has no length"
            raise InputError(
                f"the light's direction {numbers}",
                hint=f"{param('direction', '0.5,1,0.3')} shines right, down and forward",
            )
        if not 0 <= self.angular_size_deg < 180:
            raise InputError(
                f"the light's angular size is {self.angular_size_deg:g} degrees, it must lie between 0 and 180",
                hint="the sun shows 0.53 degrees, an overcast window 20",
            )

    @classmethod
    def from_angles(cls, azimuth_deg: float, elevation_deg: float, angular_size_deg: float = 0.0) -> DirectionalLight:
        """Build the light from its azimuth (0 behind the camera, 90 to its right) and its elevation over the horizon.

        The camera is taken to be level: its own X and Z axes span the horizon.
        """
        if not (math.isfinite(azimuth_deg) and math.isfinite(elevation_deg)):
            raise InputError(
                f"a sun at azimuth {azimuth_deg:g} and elevation {elevation_deg:g} was asked for",
                hint="both are angles in degrees",
            )
        azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
        across = math.cos(elevation)
        direction = -across * math.sin(azimuth), math.sin(elevation), across * math.cos(azimuth)
        return cls(direction, angular_size_deg)


@dataclass(frozen=True)
class PointLight:
    """A lamp that shines in all directions.

    Attributes
    ----------
    position : tuple of three floats
        In camera axes (X right, Y down, Z forward), in metres.
    size_m : float
        Diameter of the lamp in metres, at least 0; 0 gives hard shadows.
    """

    position: Vector
    size_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a negative size, and places beyond all scenes."""
        _check_lamp(self.position, self.size_m)


@dataclass(frozen=True)
class SpotLight:
    """A lamp that shines into a cone only.

    Attributes
    ----------
    position, target : tuple of three floats
        The lamp, and a point that the middle of its beam meets: in camera axes (X right, Y down, Z forward), in metres.
    size_m : float
        Diameter of the lamp in metres, at least 0; 0 gives hard shadows.
    angle_deg : float
        Full opening angle of the cone, between 0 and 180 degrees; 45 is a usual stage spot.
    penumbra : float
        Share of the cone's radius, from the rim inwards, over which the light fades out: 0 (hard rim) to 1.
    """

    position: Vector
    target: Vector
    size_m: float = 0.0
    angle_deg: float = 45.0
    penumbra: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a size, an angle or a penumbra out of range, and a target at the lamp itself."""
        _check_lamp(self.position, self.size_m)
        _check_lamp(self.target, self.size_m)
        if not 0 < math.dist(self.position, self.target) < math.inf:
            raise InputError(
                "the spot's target is its own position", hint=f"{param('target')} is where its beam meets the scene"
            )
        if not 0 < self.angle_deg < 180:
            raise InputError(
                f"the spot's angle is {self.angle_deg:g} degrees, it must lie between 0 and 180", hint="45 is usual"
            )
        if not 0 <= self.penumbra <= 1:
            raise InputError(
                f"the spot's penumbra is {self.penumbra:g}, it must lie between 0 and 1", hint="0 is a hard rim"
            )


def _check_lamp(position: Vector, size_m: float) -> None:
    """Refuse what overflows when it is squared, and lamps larger than the way to them could make sense of."""
    if not 0 <= size_m <= _FARTHEST_M:
        raise InputError(f"the light's size is {size_m:g} m, it cannot be negative or beyond 1e6", hint="0 is a point")
    if len(position) != 3 or not all(abs(v) <= _FARTHEST_M for v in position):
        raise InputError(
            f"a lamp stands or aims at {', '.join(f'{v:g}' for v in position)}",
            hint="three numbers of metres, at most 1e6; what is farther away is a directional light",
        )


Light = DirectionalLight | PointLight | SpotLight


@dataclass(frozen=True)
class LitBy:
    """A light with its brightness and colour.

    Attributes
    ----------
    light : DirectionalLight, PointLight or SpotLight
        Where it stands and how large it is.
    intensity : float
        The light that a surface gains if it faces the light and sees it, at least 0; 1 is as bright as the picture. A
        lamp has this intensity at the scene's median distance from it; it falls with the square of the distance.
    color : tuple of three floats
        Linear red, green and blue, at least 0.
    """

    light: Light
    intensity: float = 1.0
    color: Vector = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse a negative intensity, and what is no light or no colour."""
        if not isinstance(self.light, Light):
            raise InputError(f"a light is wanted, {type(self.light).__name__} was given", hint="a PointLight is one")
        _not_negative("intensity", self.intensity)
        if len(self.color) != 3:
            raise InputError(f"the light's color has {len(self.color)} numbers", hint="give red, green and blue")
        for part in self.color:
            _not_negative("color", part)


def sun_path(
    name: Literal["azimuth", "elevation"],
    first_deg: float,
    last_deg: float,
    count: int,
    *,
    azimuth_deg: float = AZIMUTH_DEG,
    elevation_deg: float = ELEVATION_DEG,
    angular_size_deg: float = 0.0,
    intensity: float = 1.0,
    color: Vector = (1.0, 1.0, 1.0),
) -> list[LitBy]:
    """Build the lights of a moving sun: one of its angles goes evenly from one value to another.

    Parameters
    ----------
    name : "azimuth" or "elevation"
        The angle that changes.
    first_deg, last_deg : float
        Its first and its last value, in degrees.
    count : int
        Number of lights.
    azimuth_deg, elevation_deg : float
        The angle that does not change, in degrees: see `DirectionalLight.from_angles`.
    angular_size_deg : float
        Diameter of the sun as seen from the scene, in degrees; 0 gives hard shadows.
    intensity : float
        1 is as bright as the picture.
    color : tuple of three floats
        Linear red, green and blue.

    Returns
    -------
    list of LitBy
        The sun at each moment.

    Raises
    ------
    InputError
        `name` is neither azimuth nor elevation.
    """
    if name not in ("azimuth", "elevation"):
        raise InputError(f"a sun has no angle called {name}", hint="azimuth and elevation are its angles")
    angles = {"azimuth": azimuth_deg, "elevation": elevation_deg}
    values = [first_deg + (last_deg - first_deg) * k / max(count - 1, 1) for k in range(count)]
    at = [angles | {name: value} for value in values]
    suns = [DirectionalLight.from_angles(a["azimuth"], a["elevation"], angular_size_deg) for a in at]
    return [LitBy(sun, intensity, color) for sun in suns]


@dataclass(frozen=True)
class RelightParams:
    """How a picture responds to its lights.

    Attributes
    ----------
    ambient : float
        Light of the sky on an upright surface, at least 0; 1 is as bright as the picture. A surface that faces up gets
        more, one that faces down gets less, and occlusion by the surroundings reduces it.
    strength : float
        Blends between the picture as it is (0) and the relit picture (1).
    flatten : float
        Share, 0 to 1, of the photo's own estimated light that is removed before relighting.
    """

    ambient: float = 0.25  # the shadow side of a sunlit outdoor scene gets a fifth to a third of the light
    strength: float = 1.0
    flatten: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative light, and shares outside 0..1."""
        _not_negative("ambient", self.ambient)
        for name, value in (("strength", self.strength), ("flattening", self.flatten)):
            if not 0 <= value <= 1:
                raise InputError(f"the {name} is {value:g}, it must lie between 0 and 1", hint="1 is the full effect")


def _not_negative(name: str, value: float) -> None:
    if not 0 <= value <= _BRIGHTEST:
        raise InputError(
            f"the light's {name} is {value:g}, it cannot be negative or above {_BRIGHTEST:g}",
            hint="1 is the usual light",
        )


def color_of_temperature(kelvin: float) -> Vector:
    """Colour of a black body, as on the labels of lamps.

    Parameters
    ----------
    kelvin : float
        Colour temperature, 1000 to 40000 K: a candle has 1900, a bulb 2700, daylight 6500.

    Returns
    -------
    tuple of three floats
        Linear red, green and blue; the largest is 1, and all are about 1 at 6500 K.

    Raises
    ------
    InputError
        The temperature is out of range.

    Notes
    -----
    The chromaticity is the cubic fit of Kim et al. (US patent 7024034), converted with the sRGB primaries. The fit
    covers 1667 to 25000 K; temperatures beyond get the colour of its nearer end.
    """
    if not 1000 <= kelvin <= 40000:
        raise InputError(
            f"the color temperature is {kelvin:g} K, it must lie between 1000 and 40000",
            hint="a candle has 1900 K, a bulb 2700, daylight 6500",
        )
    t = 1000 / min(max(kelvin, 1667), 25000)
    if kelvin < 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin < 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin < 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    big_x, big_z = x / y, (1 - x - y) / y
    red = 3.2404542 * big_x - 1.5371385 - 0.4985314 * big_z
    green = -0.9692660 * big_x + 1.8760108 + 0.0415560 * big_z
    blue = 0.0556434 * big_x - 0.2040259 + 1.0572252 * big_z
    top = max(red, green, blue)
    return max(red / top, 0.0), max(green / top, 0.0), max(blue / top, 0.0)
