"""Turn the bytes of a calibration file into nested names and values, by its syntax; what they mean is not asked here.

Nothing in a file is evaluated: no YAML tags, no XML entities, no pickles. Sizes are bounded: a calibration is small.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from depthapps.core.errors import CalibrationError, explain_os_error
from depthapps.io.arrays import NpzArchive, array_of
from depthapps.io.calibration.outline import parse_outline, parse_table, without_arrays
from depthapps.io.calibration.reconstructions import is_reconstruction
from depthapps.io.calibration.yaml import DEEPEST, NotParsedError, flow, parse_yaml

_LARGEST_BYTES = 32 << 20  # a table of all cameras of a data set has some megabytes, a calibration some kilobytes
_MOST_LINES = 300_000  # some seconds of reading; poses of ten thousand frames, a number a line, have 240 000
_LARGEST_ARRAY_BYTES = 1 << 16  # larger arrays in an archive are maps and pictures
_FEWEST_COMMAS = 4  # a focal length and a centre have three numbers or four; fewer may be a size as 640,480
_OTHER_COMMAS = r"\d\.\d|\d,\d+,\d|[\[({]\s*[+-]?\d+,[+-]?\d+\s*[\])}]"  # they stand between numbers
_FEWEST_PAIRS = 3  # of numbers with a comma between them, each of which may be one number: a focal length and a centre
_TO_TEXT = "write its matrices to a text file or by numpy.savez, under the names K1 D1 K2 D2 R T"
_BY_SAVEZ = "save each matrix under a name of its own: numpy.savez('rig.npz', K1=K1, D1=D1, ...)"
_SINTEL = b"PIEH"  # a number as text, which begins the files of MPI Sintel; a camera has K and its pose in doubles
_COLMAP = (
    "a binary model of COLMAP",
    "export it as text in COLMAP, or by its model_converter: cameras.txt and images.txt",
)
# The beginnings of files that people pass, or their names, what they are, and what to do about it.
_BINARY = (
    (b"cameras.bin", *_COLMAP),
    (b"images.bin", *_COLMAP),
    (b"MATLAB 5.0", "a MATLAB file", "in MATLAB: writelines(jsonencode(toStruct(stereoParams)), 'rig.json')"),
    (b"\x89HDF", "an HDF5 file", _TO_TEXT),
    (b"\x80", "a Python pickle, which may run programs", "numpy.savez('rig.npz', K1=..., D1=...) is safe"),
    (b"ARROW1", "an Arrow or Feather table", "pandas.read_feather(FILE).to_json('rig.json', orient='records')"),
    (b"\x89PNG", "a picture", "pictures come before -c, which takes the calibration"),
    (b"\xff\xd8\xff", "a picture", "pictures come before -c, which takes the calibration"),
    (b"%PDF", "a PDF", "copy its numbers into a text file"),
    (b"\x1f\x8b", "a compressed file", "unpack it first"),
)  # fmt: skip


def read_contents(path: Path) -> Any:
    """Read a file into nested dictionaries and lists of strings, numbers and arrays. Raises CalibrationError."""
    data = _read(path)
    if data.startswith(b"PK\x03\x04"):
        return _npz(path, data)
    if data.startswith(b"\x93NUMPY"):
        return {"": _npy(path, data)}
    if data.startswith(_SINTEL) and len(data) == 4 + 8 * (9 + 12):
        return {"K": np.frombuffer(data, "<f8", 9, 4).tolist()}
    for magic, what, remedy in _BINARY:
        if data.startswith(magic) or magic == path.name.encode():
            raise CalibrationError(f"{path.name} cannot be read as a calibration: it is {what}", hint=remedy)
    text = _decoded(path, data)
    if (lines := text.count("\n")) > _MOST_LINES and not is_reconstruction(text):  # a point of those takes twelve lines
        raise _too_large(path, f"{lines} lines")
    if not text.strip():
        raise CalibrationError(f"{path.name} is empty", hint="save the calibration again")
    try:
        return _by_syntax(with_decimal_points(text))
    except (NotParsedError, RecursionError) as problem:
        why = problem if isinstance(problem, NotParsedError) else "it is nested too deep"
        raise CalibrationError(f"{path.name} cannot be read: {why}", hint="is the file whole? save it again") from None


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST_BYTES:
            raise _too_large(path, f"{size >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        message, hint = explain_os_error(error, path)
        raise CalibrationError(f"the calibration cannot be read: {message}", hint=hint) from error


def _too_large(path: Path, size: str) -> CalibrationError:
    return CalibrationError(
        f"{path.name} has {size}, too much for a calibration",
        hint="pass the file of the cameras, not of pictures or points",
    )


def _decoded(path: Path, data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without a byte order mark, with line ends as \\n."""
    half = data[: min(len(data), 4096)]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16"
    elif len(half) > 3 and half.count(0) > len(half) // 4:
        codec = "utf-16-le" if half[1::2].count(0) > half[::2].count(0) else "utf-16-be"
    else:
        codec = "utf-8-sig"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if any(c < " " and c not in "\t\n\r\f\v" for c in text[:4096]) or (codec == "utf-16" and len(data) % 2):
        raise CalibrationError(
            f"{path.name} is not a text file", hint=f"pass the calibration as text or .npz; or {_TO_TEXT}"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def with_decimal_points(text: str) -> str:
    """A text with points for its decimal commas, as German or French programs write them, if these can be nothing else.

    1733,74 is one number where several like it are in the text, no number has a point, none has two commas, and none
    stands alone in brackets, as a pair does: [640,480].
    """
    numbers = re.sub(r"(?m)^(%YAML|<\?xml).*$", "", text)  # these lines tell a version
    if len(re.findall(r"\d,\d", numbers)) < _FEWEST_COMMAS or re.search(_OTHER_COMMAS, numbers):
        return text
    return re.sub(r"(?<=\d),(?=\d)", ".", text)


def decimal_comma_in(path: Path) -> str:
    """The first number of a text that seems to have a decimal comma, where commas stand between numbers too; or ""."""
    try:
        text = _decoded(path, _read(path))
    except CalibrationError:
        return ""
    pairs = re.findall(r"(?<![\d.])\d{1,12},\d{1,12}(?![\d.])", text)
    broken = [pair for pair in pairs if not pair.rstrip("0").endswith(",")]  # a matrix of whole numbers is full of 0,0
    return broken[0] if len(broken) >= _FEWEST_PAIRS else ""


def _by_syntax(text: str) -> Any:
    """Parse a text as JSON, XML, YAML or an outline of names and numbers, whichever it is."""
    start = text.lstrip()
    if start.startswith("<"):
        return _xml(start)
    if start.startswith("{") or re.match(r"\[\s*[\[{\d\"]", start):
        try:
            return json.loads(re.sub(r",(\s{0,80}[}\]])", r"\1", re.sub(r"(?m)^[ \t]{0,80}//.*$", "", text)))
        except json.JSONDecodeError as error:
            if error.pos >= len(text.rstrip()) - 1:
                raise NotParsedError(f"line {error.lineno}: it ends too early") from None
            if start.startswith("{"):
                return flow(" ".join(without_arrays(start).split()))
        except (ValueError, RecursionError):
            raise NotParsedError("its JSON holds what is no calibration") from None
    if re.match(r"\w{1,40}: [^,:{}\[\]]{1,80}, \w{1,40}: [^\n]*$", start.rstrip()):  # one row, as RealSense prints it
        return flow("{" + start.rstrip() + "}")
    if table := parse_table(start):
        return table
    if not re.search(r"^[ \t]*(?:[\w ]{1,40}:[ \t]{1,20})?[\w.]+[ \t]*=", text, re.MULTILINE):
        try:
            if found := parse_yaml(text):
                return found
        except NotParsedError as problem:
            if re.search(r"^%YAML|!!opencv|^[ \t]*- ", text, re.MULTILINE):
                raise NotParsedError(f"its YAML is broken or unusual: {problem}") from None
    return parse_outline(text)


def _xml(text: str) -> Any:
    if re.match(r"(?i)<!doctype html|<html", text):
        raise NotParsedError("it is a web page; was it a page about the file that was saved?")
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise NotParsedError("its XML defines entities of its own, which are not followed")
    try:
        return _element(ElementTree.fromstring(text), 0)
    except ElementTree.ParseError as error:
        raise NotParsedError(f"its XML is broken: {error}") from None


def _element(element: ElementTree.Element, deep: int) -> Any:
    """An element as a dictionary of its attributes and children, repeated ones as a list; or its text."""
    if deep > DEEPEST:
        raise NotParsedError("its XML is nested too deep")
    children = [(child.tag, _element(child, deep + 1)) for child in element]
    if not children:
        text = (element.text or "").strip()
        return {**element.attrib, "value": text} if set(element.attrib) - {"type_id"} else text.strip("\"'")
    if all(tag == "_" for tag, _ in children):
        return [value for _, value in children]
    found: dict[str, Any] = {k: v for k, v in element.attrib.items() if k != "type_id"}
    for tag, value in children:
        if tag not in found:
            found[tag] = value
        elif isinstance(found[tag], list):
            found[tag].append(value)
        else:
            found[tag] = [found[tag], value]
    return found


def _npz(path: Path, data: bytes) -> dict[str, Any]:
    """The small arrays of a numpy archive."""
    try:
        archive = NpzArchive(data, path.name)
        found = {
            name: _plain(archive.array(name))
            if header.size <= _LARGEST_ARRAY_BYTES
            else "an array of the size of a picture"
            for name, header in archive.headers.items()
        }
    except ValueError as error:
        raise CalibrationError(str(error), hint=_BY_SAVEZ) from None
    if not found:
        raise CalibrationError(
            f"{path.name} is an archive without numpy arrays: it holds {', '.join(archive.others[:6]) or 'nothing'}",
            hint="unpack it and pass the calibration in it; or save the matrices by numpy.savez",
        )
    return found


def _npy(path: Path, data: bytes) -> Any:
    try:
        return _plain(array_of(data, path.name))
    except ValueError as error:
        raise CalibrationError(str(error), hint=_BY_SAVEZ) from None


def _plain(value: NDArray) -> Any:
    """An array as lists of numbers or a text; None for other things, such as dates."""
    if value.dtype.kind in "US":
        return str(value.tolist())
    return value.tolist() if value.dtype.kind in "iufb" else None
