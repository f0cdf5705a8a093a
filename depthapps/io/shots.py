"""The photos of two cameras, by pattern, paired by what their names have in place of the pattern's stars."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from depthapps.core.errors import InputError
from depthapps.io.photos.images import IMAGE_SUFFIXES


def find_shots(pattern: str) -> dict[str, Path]:
    """The files of a pattern ("L*.png") or folder, by key: the text in place of the stars, numbers without zeros.

    Raises InputError where nothing matches.
    """
    if Path(pattern).is_dir():
        found = [p for p in Path(pattern).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES]
        stars = re.compile("(.*)")
    else:
        found = [Path(p) for p in glob.glob(pattern)]  # noqa: PTH207 (a pattern may be absolute)
        parts = re.split(r"([*?]+)", Path(pattern).name)
        stars = re.compile("".join("(.*)" if p.strip("*?") == "" and p else re.escape(p) for p in parts))
    if not found:
        raise InputError(f"no photo matches {pattern}", hint="a pattern in quotes ('left*.jpg'), or a folder")
    shots: dict[str, Path] = {}
    for path in sorted(found):
        match = stars.fullmatch(path.stem if Path(pattern).is_dir() else path.name)
        key = "-".join(match.groups()) if match else path.stem
        shots[re.sub(r"\d+", lambda number: str(int(number[0])), key)] = path
    return shots


def pair_shots(left: dict[str, Path], right: dict[str, Path]) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """The pairs with one key, and the photos without a partner. Raises InputError where there is no pair."""
    pairs = [(path, right[key]) for key, path in left.items() if key in right]
    if not pairs:
        raise InputError(
            f"none of {len(left)} left and {len(right)} right photos belong together: "
            f"{next(iter(left.values())).name} and {next(iter(right.values())).name}",
            hint="what the stars stand for has to be the same: left01.png and right01.png for 'left*.png' 'right*.png'",
        )
    alone = [p for k, p in left.items() if k not in right] + [p for k, p in right.items() if k not in left]
    return pairs, alone
