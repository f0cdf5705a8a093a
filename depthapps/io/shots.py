"""Find the photos of one or two cameras by a pattern, and pair them by what their names have in place of its stars."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from depthapps.core.errors import InputError
from depthapps.io.formats import IMAGE_SUFFIXES
from depthapps.io.inputs import StrPath

_WILD = re.compile(r"(\*\*/|[*?]+|\[[^\]]+\])")  # what a pattern leaves open: folders, stars, question marks, [abc]


@dataclass(frozen=True)
class FoundFile:
    """A file that a pattern matches.

    path: the file. stars: the texts in place of the pattern's stars. name: the file below the last folder that the
    pattern names without a star, without its suffix and with "/" between folders.
    """

    path: Path
    stars: tuple[str, ...]
    name: str

    @property
    def number(self) -> str:
        """The texts in place of the stars as one, with numbers without leading zeros."""
        return re.sub(r"\d+", lambda digits: str(int(digits[0])), "-".join(self.stars))


def find_files(pattern: StrPath) -> list[FoundFile]:
    """Find the files that match a pattern, such as ``"scene*/left*.png"`` or ``"photos/**/*.jpg"``, or are in a folder.

    Returns
    -------
    list of FoundFile
        Sorted by path. Of a folder, all pictures right in it.

    Raises
    ------
    InputError
        No file matches.
    """
    pattern = os.fspath(pattern)
    if Path(pattern).is_dir():
        # macOS keeps a hidden file ._NAME beside each file on foreign disks
        within = (p for p in Path(pattern).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != ".")
        found = [FoundFile(path, (path.stem,), path.stem) for path in within]
    else:
        slashes = Path(pattern).as_posix()
        parts = _WILD.split(slashes)
        folders, slash, _ = parts[0].rpartition("/")  # before the first star
        # Windows matches patterns without regard to case
        stars = re.compile("".join(map(_as_regex, parts)), re.IGNORECASE)
        paths = [Path(p) for p in glob.glob(pattern, recursive=True)]  # noqa: PTH207 (a pattern may be absolute)
        found = []
        for path in paths:
            if not path.is_dir():
                match = stars.fullmatch(path.as_posix())
                groups = tuple((group or "").rstrip("/") for group in match.groups()) if match else (path.stem,)
                found.append(FoundFile(path, groups, path.relative_to(folders or slash).with_suffix("").as_posix()))
    if not found:
        hint = "a pattern in quotes ('left*.jpg'), or a folder"
        if Path(pattern).is_dir():
            hint = f"a folder stands for the photos right in it; '{pattern}/*/*.jpg' are those of its folders"
        raise InputError(f"no photo matches {pattern}", hint=hint)
    return sorted(found, key=lambda file: file.path)


def _as_regex(part: str) -> str:
    """A part of a pattern as a regular expression, with a group for what it leaves open."""
    if part == "**/":
        return "(.*/)?"
    return "([^/]*)" if _WILD.fullmatch(part) else re.escape(part)


def pair_files(
    left: list[FoundFile], right: list[FoundFile]
) -> tuple[list[tuple[FoundFile, FoundFile]], list[FoundFile]]:
    """Pair the files of two patterns by what stands in place of their stars; where none is the same, as numbers.

    Returns
    -------
    pairs : list of (FoundFile, FoundFile)
        In the order of the left files.
    alone : list of FoundFile
        The files without a partner, or with several.
    """
    partner: dict[FoundFile, FoundFile] = {}
    for key_of in (attrgetter("stars"), attrgetter("number")):
        taken = set(partner.values())
        mine, others = ([f for f in files if f not in known] for files, known in ((left, partner), (right, taken)))
        keys = [Counter(map(key_of, files)) for files in (mine, others)]
        by_key = {key_of(file): file for file in others}
        for file in mine:
            key = key_of(file)
            if all(count[key] == 1 for count in keys):
                partner[file] = by_key[key]
    taken = set(partner.values())
    pairs = [(file, partner[file]) for file in left if file in partner]
    return pairs, [file for file in left if file not in partner] + [file for file in right if file not in taken]
