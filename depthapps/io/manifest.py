"""Read a list of pairs with their options: a table in CSV, or a JSON object a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthapps.core.errors import InputError
from depthapps.io.formats import MANIFEST_SUFFIXES
from depthapps.io.inputs import StrPath, read_text

_YES, _NO = ("true", "yes"), ("false", "no")  # what programs write into a table for an option without a value
_INPUTS = ("image", "left", "right", "name")


@dataclass(frozen=True)
class ManifestRow:
    """A row of a manifest.

    where: the file and the line, as messages name them. image, right: the files, as written. name: of the result, if
    the row says it. options: the texts of each option by its name, such as "f-number"; True and False for an option
    without a value.
    """

    where: str
    image: str
    right: str | None
    name: str | None
    options: dict[str, tuple[str, ...] | bool]


def read_manifest(path: StrPath) -> list[ManifestRow]:
    """Read a manifest.

    Parameters
    ----------
    path : str or PathLike
        A ``.csv`` file whose first line names the columns, or a ``.jsonl`` file with an object a line. Their names are
        "left" and "right", or "image"; "name"; and those of options, "f-number" or "f_number".

    Returns
    -------
    list of ManifestRow

    Raises
    ------
    InputError
        The file is no such table, or a row names no picture, or one view of two.
    """
    path = Path(path)
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        raise InputError(f"{path.name} is no manifest by its suffix", hint=f"use one of {' '.join(MANIFEST_SUFFIXES)}")
    text = read_text(path, "manifest")
    entries = _of_csv(text, path.name) if path.suffix.lower() == ".csv" else _of_json(text, path.name)
    rows = [_row(entry, where) for where, entry in entries]
    if not rows:
        raise InputError(f"{path.name} names no picture", hint="a row has the columns left and right, or image")
    return rows


def _of_csv(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    table = csv.DictReader(text.splitlines(), strict=True, skipinitialspace=True)
    try:
        if any(";" in column or "\t" in column for column in table.fieldnames or ()):
            raise InputError(f"the columns of {name} are not parted by commas", hint="save it with commas between them")
        for row in table:
            where = f"line {table.line_num} of {name}"
            if None in row:
                raise InputError(f"{where} has more cells than the first line", hint="quote cells that hold commas")
            yield where, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise InputError(f"line {table.line_num} of {name} is no CSV: {error}", hint="check its quotes") from None


def _of_json(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where} is no JSON: {error}", hint="write one object a line") from None
        if not isinstance(entry, dict):
            raise InputError(f"{where} is no JSON object", hint='write {"left": "l.png", "right": "r.png"}')
        yield where, {key: value for key, value in entry.items() if value is not None}


def _row(entry: dict[str, Any], where: str) -> ManifestRow:
    entry = {key.strip().replace("_", "-"): value for key, value in entry.items()}
    files = {key: entry.pop(key, None) for key in _INPUTS}
    for key, value in files.items():
        if value is not None and not isinstance(value, str):
            raise InputError(f"{where} has a {key} that is no text", hint="write the path of a file")
    image = files["left"] or files["image"]
    if not image or (files["left"] and files["image"]) or (files["image"] and files["right"]):
        raise InputError(f"{where} names no picture, or too many", hint="give it left and right, or image")
    options = {key: _texts(value, f"{where}, {key},") for key, value in entry.items()}
    if files["left"] and not files["right"]:
        raise InputError(
            f"{where} names a left view, {files['left']}, and no right one",
            hint="name it too, or name a picture with a depth or both views in it as image instead of left",
        )
    return ManifestRow(where, image, files["right"], files["name"], options)


def _texts(value: Any, where: str) -> tuple[str, ...] | bool:
    """The texts of an option, as on the command line."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in (*_YES, *_NO):
        return value.lower() in _YES
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(v, str | int | float) and not isinstance(v, bool) for v in values):
        raise InputError(f"{where} is neither a text nor a number", hint="write it as on the command line")
    return tuple(map(str, values))
