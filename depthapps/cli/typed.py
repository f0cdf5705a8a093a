"""The options of a command as they were typed, to hand them on to another run of it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any


def typed_options(command: Any, context: Any, arguments: list[str], left_out: Container[str]) -> dict[str, tuple]:
    """The texts typed for each option, by its long flag: none for a flag that takes no value.

    left_out: names of parameters that are not handed on; what is no option never is.
    """
    typed, _, _ = command.make_parser(context).parse_args(args=list(arguments))
    return {
        long_flag(p): _texts(typed[p.name])
        for p in command.params
        if p.name in typed and p.name not in left_out and p.opts[0].startswith("-")
    }


def as_arguments(options: dict[str, tuple]) -> list[str]:
    """Options as arguments of a command."""
    return [part for flag, texts in options.items() for part in ([f"{flag}={text}" for text in texts] or [flag])]


def long_flag(parameter: Any) -> str:
    """The long name of an option, such as --output of -o."""
    return max(parameter.opts, key=len)


def _texts(typed: Any) -> tuple[str, ...]:
    """What was typed for an option: nothing for a flag, several texts for one that may be repeated."""
    if typed is True:
        return ()
    return tuple(typed) if isinstance(typed, list) else (typed,)
