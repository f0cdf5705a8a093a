"""Read the YAML that calibration files are written in: no more of it, and nothing in it is evaluated.

YAML proper can build objects, refer back and grow without bound. These files hold names, numbers and lists; tags such
as !!opencv-matrix are dropped, and aliases are refused. OpenCV's own reader would refuse what others write, and drops a
camera whose `data:[` has no blank.
"""

from __future__ import annotations

import re
from typing import Any

DEEPEST = 24  # of nested lists and mappings, in every syntax
# No two parts of these patterns can match the same blanks or digits, so that no text takes more than linear time.
_KEY = re.compile(
    r"""((?:"[^"]*"|'[^']*')\s*|[^\s\[\]{},"'#:-][^\[\]{},"':#]*|[^\s\[\]{},"'#]+?\s*):(?=\s|$|[\[{"'!&])"""
)
_DASH = re.compile(r"-(\s|$)")
_TOKEN = re.compile(r"""([\[\]{},])|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\[\]{},"'\s][^\[\]{},]*)""")


class NotParsedError(ValueError):
    """A text that is not of the tried syntax; says in which line and why."""


def parse_yaml(text: str) -> Any:
    """Parse a text into nested dictionaries, lists, strings and numbers. Raises NotParsedError."""
    lines = _Lines(text)
    value = _block(lines, 0, 0) if lines.rows else {}
    if lines.at < len(lines.rows):
        raise NotParsedError(f"line {lines.rows[lines.at][2]} is indented like nothing above it")
    return value


class _Lines:
    """The rows (indentation, text, number) of a text without comments and tags, brackets joined to one row."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self.rows: list[tuple[int, str, int]] = []
        joined, depth, indent, first = "", 0, 0, 0
        for number, raw in enumerate(text.split("\n"), 1):
            line = re.sub(r"(^|\s)#.*$", "", raw.expandtabs(2)).rstrip()
            if not depth and (not line or line.startswith(("%", "---", "..."))):
                continue
            if not depth:
                joined, indent, first = "", len(line) - len(line.lstrip()), number
            joined += " " + line.strip()
            depth += sum(line.count(c) for c in "[{") - sum(line.count(c) for c in "]}")
            if depth <= 0:
                self.rows.append((indent, joined.strip(), first))
                depth = 0
        if depth:
            raise NotParsedError(f"a bracket that opens in line {first} is never closed")


def _block(lines: _Lines, indent: int, deep: int) -> Any:
    """The mapping or list that begins at the current row, whose rows are indented alike."""
    if deep > DEEPEST:
        raise NotParsedError(f"line {lines.rows[lines.at][2]} is nested too deep")
    mapping: dict[str, Any] = {}
    items: list[Any] = []
    own, listed = lines.rows[lines.at][0], _DASH.match(lines.rows[lines.at][1])
    while lines.at < len(lines.rows) and lines.rows[lines.at][0] == own >= indent:
        _, text, number = lines.rows[lines.at]
        if bool(_DASH.match(text)) != bool(listed):
            break
        if listed:
            rest = text[1:].strip()
            if rest and (_DASH.match(rest) or _KEY.match(rest)):
                lines.rows[lines.at] = (own + len(text) - len(rest), rest, number)  # what follows the dash is a block
                items.append(_block(lines, own + 1, deep + 1))
            else:
                lines.at += 1
                items.append(_value(lines, rest, own + 1, deep))
            continue
        key = _KEY.match(text)
        if key is None:
            raise NotParsedError(f"line {number} has no name and a colon")
        lines.at += 1
        mapping[key[1].strip().strip("\"'")] = _value(lines, text[key.end() :].strip(), own, deep, in_mapping=True)
    return items if listed else mapping


def _value(lines: _Lines, text: str, indent: int, deep: int, *, in_mapping: bool = False) -> Any:
    """What stands behind a name or a dash: on the same row, or in the rows below it."""
    text = re.sub(r"^(?:[!&]\S+\s*)+", "", text)
    if text.startswith("*"):
        raise NotParsedError(f"the reference {text} is not followed")
    if text not in ("", "|", ">"):
        return flow(text)
    if lines.at < len(lines.rows):
        below = lines.rows[lines.at]
        if below[0] > indent or (below[0] == indent and in_mapping and _DASH.match(below[1])):
            return _block(lines, below[0], deep + 1)
    return None


def flow(text: str) -> Any:
    """Parse a value on one row: a scalar, or lists and mappings in brackets, with commas or blanks between numbers."""
    if not text.startswith(("[", "{")):
        return scalar(text)
    tokens = [(m[1], next((g for g in m.groups()[1:] if g is not None), "")) for m in _TOKEN.finditer(text)]
    tokens.reverse()
    return _bracket(tokens, 0)


def _bracket(tokens: list[tuple[str | None, str]], deep: int) -> Any:
    """Parse the list or mapping whose opening bracket is next; `tokens` is a stack."""
    if deep > DEEPEST:
        raise NotParsedError("brackets are nested too deep")
    closing = "]" if tokens.pop()[0] == "[" else "}"
    items: list[Any] = []
    names: list[str | None] = []
    name: str | None = None
    while tokens:
        mark, word = tokens[-1]
        if mark == closing:
            tokens.pop()
            return items if closing == "]" else {str(n): v for n, v in zip(names, items, strict=True)}
        if mark in ("[", "{"):
            items.append(_bracket(tokens, deep + 1))
            names.append(name)
            name = None
            continue
        tokens.pop()
        if mark or not word.strip():
            continue
        if closing == "}" and name is None:
            name, colon, word = word.partition(":")
            name = name.strip()
            if not colon or not word.strip():
                if tokens and not colon and tokens[-1][1].startswith(":"):  # a quoted name
                    word = tokens.pop()[1][1:]
                if not word.strip() or not (colon or word):
                    continue
        for part in _parts(word):
            items.append(part)
            names.append(name)
        name = None
    raise NotParsedError("a bracket is not closed")


def _parts(word: str) -> list[Any]:
    """The numbers of a text with blanks or semicolons between them, or the text itself."""
    parts = [scalar(part) for part in re.split(r"[\s;]+", word.strip()) if part]
    return parts if all(isinstance(part, float) for part in parts) else [scalar(word)]


def scalar(text: str) -> Any:
    """A number as float, else the text without its quotes; an empty text and `null` are None."""
    text = text.strip()
    if text in ("", "~", "null", "None"):
        return None
    if re.fullmatch(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\.?(?:nan|inf)", text, re.I | re.A):
        return float(re.sub(r"\.(?=nan|inf)", "", text.lower()))
    return text.strip("\"'")
