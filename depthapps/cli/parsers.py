"""Parse the values of options that several commands take."""

from __future__ import annotations

from collections.abc import Callable

import typer

from depthapps.runtime.budget import parsed_bytes


def memory_size(text: str) -> int:
    """Parse a size of memory such as 4G, for an option's `parser`."""
    try:
        return parsed_bytes(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no size of memory such as 4G or 800M") from None


def numbers(count: int) -> Callable[[str], tuple[float, ...]]:
    """Make a parser of `count` numbers with commas between them, for an option's `parser`."""

    def parse(text: str) -> tuple[float, ...]:
        try:
            values = tuple(float(part) for part in text.split(","))
        except ValueError:
            values = ()
        if len(values) != count:
            raise typer.BadParameter(f"{text!r} is not {count} numbers with commas between them")
        return values

    return parse
