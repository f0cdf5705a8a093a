"""Make a command of groups of options, which are dataclasses, and list them under headings in its help."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand

from depthapps.core.errors import brief

_WITHOUT = "Options"  # the heading of options that have none of their own

NOT_GIVEN = Path()
"""The value of IMAGE if the user gave none to a command that can do without it."""


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of separate options from one whose parameters are dataclasses of options, as typer needs it.

    A dataclass may have `headings` for the help: the name of a field, and the heading for it and those that follow.
    If the default of such a parameter is `NOT_GIVEN`, its required fields, such as IMAGE, may be left out.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        field_hints = get_type_hints(groups[name], include_extras=True)
        headings, heading = getattr(groups[name], "headings", {}), None
        for field in dataclasses.fields(groups[name]):
            heading = headings.get(field.name, heading)
            default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
            if default is inspect.Parameter.empty and parameter.default is NOT_GIVEN:
                default = None
            annotation = _under(heading, field_hints[field.name])
            parameters.append(
                inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            )

    for info in (each for p in parameters for each in getattr(p.annotation, "__metadata__", ())):
        info.readable = False  # what cannot be read is told of when it is read, in the words of all other errors

    def spread(**values: Any) -> None:
        for name, kind in groups.items():
            given = {f.name: values.pop(f.name) for f in dataclasses.fields(kind)}
            required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
            values[name] = kind(**{k: NOT_GIVEN if v is None and k in required else v for k, v in given.items()})
        command(**values)

    spread.__name__, spread.__doc__ = command.__name__, command.__doc__
    spread.__annotations__ = {p.name: p.annotation for p in parameters}
    spread.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return spread


def _under(heading: str | None, annotation: Any) -> Any:
    """The annotation of an option with a heading for the help; one that several commands share is left as it is."""
    kind, info = get_args(annotation)
    info = copy(info)
    info.rich_help_panel = heading
    return Annotated[kind, info]


def _reworded(message: str, found: dict[str, Any]) -> str:
    """What is wrong with a value, of which pydantic found this."""
    given, bounds = brief(found["input"]), found.get("ctx", {})
    known = {
        "float_parsing": f"{given} is no number",
        "int_parsing": f"{given} is no whole number",
        "int_from_float": f"{given} is no whole number",
        "greater_than_equal": f"{given} is not {bounds.get('ge', 0):g} or more",
        "less_than_equal": f"{given} is not {bounds.get('le', 0):g} or less",
    }
    return known.get(found["type"], message.removeprefix("Value error, "))


class HelpfulCommand(TyperCommand):
    """A command whose options are listed under the headings that `with_options` gave them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; a value that is refused is told in our words, where typer's are those of the library that it asks."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if found := getattr(error.__cause__, "errors", None):
                error.message = _reworded(error.message, found()[0])
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], _WITHOUT: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None) or _WITHOUT
                argument = parameter.param_type_name == "argument"
                sections.setdefault("Arguments" if argument else heading, []).append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
