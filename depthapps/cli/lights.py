"""Read the lights of `depthapps shadow` from options, or from a file whose entries have the options' names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import typer

from depthapps.cli.parsers import numbers
from depthapps.core.choices import LightKind
from depthapps.core.errors import InputError, brief
from depthapps.shadow.params import (
    AZIMUTH_DEG,
    ELEVATION_DEG,
    DirectionalLight,
    Light,
    LitBy,
    PointLight,
    SpotLight,
    color_of_temperature,
    sun_path,
)

# The options that only some kinds of light have.
_OWN = {
    LightKind.DIRECTIONAL: ("direction", "azimuth", "elevation", "angular_size"),
    LightKind.POINT: ("position", "size"),
    LightKind.SPOT: ("position", "size", "target", "angle", "penumbra"),
}
_LARGEST = 1e300  # whole numbers of JSON have no end; not a number is not larger or smaller than any


@dataclass(frozen=True)
class LightOptions:
    """Options of one light; the defaults are those of the light classes."""

    headings: ClassVar = {"light": "The light"}

    light: Annotated[LightKind, typer.Option(help="a sun, a lamp, or a lamp with a beam")] = LightKind.DIRECTIONAL
    direction: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="the way a sun's light travels: right, down, forward", metavar="X,Y,Z"),
    ] = None
    azimuth: Annotated[
        float, typer.Option(help="where a sun stands: 0 behind the camera, 90 at its right", metavar="DEG")
    ] = AZIMUTH_DEG
    elevation: Annotated[float, typer.Option(help="height of a sun over the horizon", metavar="DEG")] = ELEVATION_DEG
    angular_size: Annotated[
        float, typer.Option(help="apparent diameter of a sun, 0 for hard shadows", metavar="DEG")
    ] = DirectionalLight.angular_size_deg
    position: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="where a lamp is, in metres: right, down, forward", metavar="X,Y,Z"),
    ] = None
    size: Annotated[float, typer.Option(help="diameter of a lamp in metres, 0 for hard shadows", metavar="M")] = (
        PointLight.size_m
    )
    target: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="a point that a spot's beam aims at, in metres", metavar="X,Y,Z"),
    ] = None
    angle: Annotated[float, typer.Option(help="opening angle of a spot's beam", metavar="DEG")] = SpotLight.angle_deg
    penumbra: Annotated[float, typer.Option(help="share of the beam over which its rim fades", metavar="N")] = (
        SpotLight.penumbra
    )
    color: Annotated[
        tuple | None,
        typer.Option(parser=numbers(3), help="color of the light: linear red, green, blue", metavar="R,G,B"),
    ] = None
    temperature: Annotated[
        float | None,
        typer.Option(help="color as a temperature in kelvin instead: bulb 2700, daylight 6500", metavar="K"),
    ] = None
    intensity: Annotated[
        float, typer.Option(help="brightness of the light, 1 = as bright as the picture", metavar="N")
    ] = LitBy.intensity

    def lit_by(self) -> LitBy:
        """Make the light that these options describe. Raises InputError if they contradict each other."""
        if self.color is not None and self.temperature is not None:
            raise InputError("the light's color was given twice", hint="pass either --color or --temperature")
        color = self.color or (LitBy.color if self.temperature is None else color_of_temperature(self.temperature))
        return LitBy(self._light(), self.intensity, color)

    def _light(self) -> Light:
        self._check_own()
        if self.light is LightKind.DIRECTIONAL:
            if self.direction is not None:
                return DirectionalLight(self.direction, self.angular_size)
            return DirectionalLight.from_angles(self.azimuth, self.elevation, self.angular_size)
        if self.position is None:
            raise InputError(
                f"a {self.light} light needs a position", hint="--position 0.5,-0.4,1.2 is right, above, 1.2 m ahead"
            )
        if self.light is LightKind.POINT:
            return PointLight(self.position, self.size)
        if self.target is None:
            raise InputError("a spot light needs a target", hint="--target 0,0.2,1.5 is a point of its beam")
        return SpotLight(self.position, self.target, self.size, self.angle, self.penumbra)

    def _check_own(self) -> None:
        """Refuse options of other kinds of light, and a sun's direction given twice. Raises InputError."""
        given = [field.name for field in dataclasses.fields(self) if getattr(self, field.name) != field.default]
        of_others = {name for names in _OWN.values() for name in names} - set(_OWN[self.light])
        for name in (name for name in given if name in of_others):
            kinds = " or ".join(f"--light {kind}" for kind, names in _OWN.items() if name in names)
            what = name.replace("_", " ")
            raise InputError(f"a {self.light} light has no {what}", hint=f"pass {kinds}, or leave the {what} out")
        if self.direction is not None and {"azimuth", "elevation"}.intersection(given):
            raise InputError(
                "the sun's direction was given twice", hint="pass either --direction, or --azimuth and --elevation"
            )

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], number: int) -> LightOptions:
        """Read the options from one entry of a lights file; `number` counts from 1, for messages. Raises InputError."""
        fields = {f.name: f for f in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for name, value in entry.items():
            if name not in fields:
                raise InputError(
                    f"light {number} has an unknown entry {brief(name)}", hint=f"known: {' '.join(fields)}"
                )
            if name == "light":
                wanted, usable = "one of " + " ".join(LightKind), value in list(LightKind)
                value = LightKind(value) if usable else value
            elif fields[name].default is None and name != "temperature":
                wanted, usable = "three numbers", isinstance(value, list) and len(value) == 3
                usable = usable and all(_is_number(v) for v in value)
                value = tuple(map(float, value)) if usable else value
            else:
                wanted, usable = "a number", _is_number(value)
            if not usable:
                raise InputError(f"{name} of light {number} is {brief(value)}, expected {wanted}", hint="see --help")
            values[name] = value
        return cls(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


@dataclass(frozen=True)
class Sweep:
    """A moving sun: the name of the angle that changes, and its first and last value in degrees."""

    name: Literal["azimuth", "elevation"]
    first: float  # degrees
    last: float

    @classmethod
    def parse(cls, text: str) -> Sweep:
        """Parse azimuth=0:180 or elevation=5:60. Raises InputError."""
        name, _, span = text.partition("=")
        first, _, last = span.partition(":")
        try:
            if name == "azimuth" or name == "elevation":
                return cls(name, float(first), float(last))
            raise ValueError
        except ValueError:
            raise InputError(
                f"{text!r} is no sweep of a sun", hint="--sweep azimuth=0:180 or --sweep elevation=5:60"
            ) from None

    def steps(self, options: LightOptions, count: int) -> list[LitBy]:
        """The light at `count` moments, from the first angle to the last. Raises InputError if it is no sun."""
        if options.light is not LightKind.DIRECTIONAL or options.direction is not None:
            raise InputError("only a sun given by its angles can be swept", hint="leave --light and --direction out")
        if getattr(options, self.name) != getattr(LightOptions, self.name):
            raise InputError(f"--sweep moves the {self.name} itself", hint=f"leave --{self.name} out")
        lit = options.lit_by()
        return sun_path(
            self.name,
            self.first,
            self.last,
            count,
            azimuth_deg=options.azimuth,
            elevation_deg=options.elevation,
            angular_size_deg=options.angular_size,
            intensity=lit.intensity,
            color=lit.color,
        )
