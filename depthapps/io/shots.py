"""Find the photos of one or two cameras by a pattern, and pair them by what their names have in place of its stars."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from depthapps.core.errors import InputError
from depthapps.io.formats import IMAGE_SUFFIXES
from depthapps.io.inputs import StrPath

_WILD = re.compile(r"([*?]+|\[[^\]]+\])")  # what a pattern leaves open: stars, question marks, [abc]


def find_shots(pattern: StrPath) -> dict[str, Path]:
    """Find the photos of one camera.

    Parameters
    ----------
    pattern : str or PathLike
        A pattern such as ``"left*.png"``, or a folder, of which all pictures are taken.

    Returns
    -------
    dict of str to Path
        The photos by their keys, sorted by name. A key is the text in place of the stars, with numbers without leading
        zeros.

    Raises
    ------
    InputError
        No photo matches.
    """
    pattern = os.fspath(pattern)
    if Path(pattern).is_dir():
        # macOS keeps a hidden file ._NAME beside each file on foreign disks
        found = [p for p in Path(pattern).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "."]
        stars = re.compile("(.*)")
    else:
        found = [Path(p) for p in glob.glob(pattern)]  # noqa: PTH207 (a pattern may be absolute)
        parts = _WILD.split(Path(pattern).name)
        regex = "".join("(.*)" if _WILD.fullmatch(part) else re.escape(part) for part in parts)
        stars = re.compile(regex, re.IGNORECASE)  # Windows matches patterns without regard to case
    if not found:
        raise InputError(f"no photo matches {pattern}", hint="a pattern in quotes ('left*.jpg'), or a folder")
    shots: dict[str, Path] = {}
    for path in sorted(found):
        match = stars.fullmatch(path.stem if Path(pattern).is_dir() else path.name)
        key = "-".join(match.groups()) if match else path.stem
        shots[re.sub(r"\d+", lambda number: str(int(number[0])), key)] = path
    return shots


def pair_shots(left: dict[str, Path], right: dict[str, Path]) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Pair the photos of two cameras.

    Parameters
    ----------
    left, right : dict of str to Path
        Photos by their keys, as `find_shots` returns them.

    Returns
    -------
    pairs : list of (Path, Path)
        Left and right photo of each key that both have.
    alone : list of Path
        The photos without a partner.

    Raises
    ------
    InputError
        There is no pair.
    """
    pairs = [(path, right[key]) for key, path in left.items() if key in right]
    if not pairs:
        raise InputError(
            f"none of {len(left)} left and {len(right)} right photos belong together: "
            f"{next(iter(left.values())).name} and {next(iter(right.values())).name}",
            hint="what the stars stand for has to be the same: left01.png and right01.png for 'left*.png' 'right*.png'",
        )
    alone = [p for k, p in left.items() if k not in right] + [p for k, p in right.items() if k not in left]
    return pairs, alone
