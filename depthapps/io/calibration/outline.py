"""Read texts of names and numbers that are no YAML: INI files, `name = numbers`, reports, tables and bare matrices."""

from __future__ import annotations

import re
from typing import Any

from depthapps.io.calibration.yaml import flow, scalar

_NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,4})?"  # digits in one way only: linear time
_SECTION = re.compile(r"\[\s*([A-Za-z_][^\[\]=]*|\d+\s*[A-Za-z_][^\[\]=\d.]*)\]$")
_NAMED = re.compile(r"([A-Za-z_][^=:\[\]]{0,80}?)\s*(?:=|:(?!\S))\s*(.*)$")
_NAME_THEN_NUMBERS = re.compile(rf"([A-Za-z_]\w{{0,60}})\s+({_NUMBER}(?:[\s,]+{_NUMBER}){{0,40}})$")
_TITLE = re.compile(r"[A-Za-z][\w /]{0,60}$")
_ROW = re.compile(rf"[\[\](),;\s]*{_NUMBER}(?:[\[\](),;\s]+{_NUMBER})*[\[\](),;\s]*$")
# COLMAP's tables: a camera is CAMERA_ID MODEL WIDTH HEIGHT PARAMS..., a picture IMAGE_ID Q T CAMERA_ID NAME
_CAMERA_ROW = re.compile(rf"(\d+)\s+([A-Z_]{{3,40}})\s+(\d+)\s+(\d+)\s+({_NUMBER}(?:\s+{_NUMBER})*)\s*$")
_PICTURE_ROW = re.compile(rf"\d+\s+((?:{_NUMBER}\s+){{7}})(\d+)\s+(\S.*\.\w{{2,5}})$")
_LONGEST = 4000  # characters of a line that is looked at; lines of COLMAP's points are longer


def without_arrays(text: str) -> str:
    """A text in which numpy's array([1., 2.]) has become [1., 2.]."""
    return re.sub(r"\b(?:np\.|numpy\.)?(?:array|float64)\(|,? ?dtype=[\w.]+|(?<=\]) ?\)", " ", text)


def parse_table(text: str) -> list[dict[str, Any]]:
    """Parse rows of values with commas, tabs or semicolons between them, below a row of names; empty if it is none."""
    rows = [line for line in text.split("\n") if line.strip()]
    comma = next((c for c in ",;\t" if rows and rows[0].count(c) > 2), None)
    if comma is None:
        return []
    names, *others = ([part.strip().strip("\"'") for part in row[:_LONGEST].split(comma)] for row in rows)
    named = all(re.fullmatch(r"[A-Za-z_][\w .()\[\]]{0,60}", name) for name in names)
    if not named or not others or any(len(row) != len(names) for row in others):
        return []
    return [dict(zip(names, map(scalar, row), strict=True)) for row in others]


def parse_outline(text: str) -> dict[str, Any]:
    """Parse a text into sections of names and values; numbers without a name stand under "".

    A section begins at [name], at a line that ends in a colon with names below it, or at an underlined line. Rows of
    numbers belong to the name above them.
    """
    found: dict[str, Any] = {}
    section, name, columns = found, "", 0
    rows = _rows(without_arrays(text))
    for k, row in enumerate(rows):
        below = rows[k + 1] if k + 1 < len(rows) else ""
        if _table_row(row, found):
            continue
        if _TITLE.match(row) and _ROW.match(below) and not re.match(r"[-=]{3,}", below):  # ROS's ost.txt, MVSNet
            name, columns = row, 0
            section.pop(name, None)  # written again, for another camera
        elif header := _header(row, below):
            section, name = found.setdefault(header, {}), ""
            section = section if isinstance(section, dict) else found
        elif _ROW.match(row) and not re.match(r"[-=]{3,}", row):
            numbers = [float(v) for v in re.findall(_NUMBER, row)]
            if isinstance(section.get(name), list) and len(numbers) != columns:  # another table begins
                name = ""
            columns = len(numbers)
            if isinstance(kept := section.get(name), list):
                kept += numbers
            else:
                section[name] = numbers
        elif named := _NAMED.match(row) or _NAME_THEN_NUMBERS.match(row):
            name, value = named[1].strip().strip("\"'"), named[2].strip().rstrip(";").strip()
            if own := _NAMED.match(value):  # Focal length: fc_left = [...]
                name, value = own[1].strip(), own[2]
            value = re.split(r"\+-|±|=>", value)[0].strip()
            section[name] = _numbers(value)
            columns = len(section[name]) if isinstance(section[name], list) else 0
    return found


def _rows(text: str) -> list[str]:
    """The lines that are not empty, without comments; a bracket that is not closed goes on in the next line."""
    rows: list[str] = []
    open_brackets = 0
    for raw in text.split("\n"):
        line = re.sub(r"(^\s*[#;%]|\s[#%]|(?:^|\s)//).*$", "", raw[:_LONGEST]).strip()
        if not line:
            continue
        if open_brackets > 0 and rows:
            rows[-1] += "; " + line
        else:
            open_brackets = 0
            rows.append(line)
        if not _SECTION.match(line):
            open_brackets += line.count("[") - line.count("]")
        if len(rows[-1]) > _LONGEST:
            open_brackets = 0
    return rows


def _header(row: str, below: str) -> str | None:
    """The name of the section that begins in this row; None if none does."""
    if section := _SECTION.match(row):
        return section[1].strip()
    if row.endswith(":") and not _ROW.match(below):
        return row.rstrip(": ")
    if re.match(r"[-=]{3,}$", below) or (row.count('"') >= 2 and not _NAMED.match(row)):
        return row
    return None


def _table_row(row: str, found: dict[str, Any]) -> bool:
    """Put a row of COLMAP's tables among the cameras or the frames; whether it was one."""
    if camera := _CAMERA_ROW.match(row):
        numbers = [float(v) for v in camera[5].split()]
        found.setdefault("colmap cameras", {})[camera[1]] = {
            "colmap model": camera[2], "width": float(camera[3]), "height": float(camera[4]), "colmap params": numbers,
        }  # fmt: skip
        return True
    if picture := _PICTURE_ROW.match(row):
        numbers = [float(v) for v in picture[1].split()]
        found.setdefault("frames", []).append(
            {"name": picture[3].strip(), "camera id": picture[2], "q world": numbers[:4], "t world": numbers[4:]}
        )
        return True
    return False


def _numbers(value: str) -> Any:
    """A value in brackets as a list, numbers with blanks between them too, anything else as it is."""
    if value.startswith(("[", "{")) and value.endswith(("]", "}")):
        return flow(value)
    if re.fullmatch(rf"{_NUMBER}(?:[\s,;]+{_NUMBER})+[\s,;]*", value):
        return [float(v) for v in re.findall(_NUMBER, value)]
    return scalar(value)
