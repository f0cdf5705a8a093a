"""Write a page with a small picture of each result of a batch, and make these pictures."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from depthapps.core.errors import DepthappsError, OutputError
from depthapps.io.formats import FILM_SUFFIXES
from depthapps.io.inputs import StrPath
from depthapps.io.outputs import Outputs, opened

_MARK = '<meta name="generator" content="depthapps batch">'  # tells the page from one of the user's own
_THUMBNAIL_PX = 320
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
{mark}
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fafafa }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 1em }}
figure {{ margin: 0; background: #fff; border: 1px solid #ddd; padding: .5em; overflow-wrap: anywhere }}
figure img {{ display: block; width: 100%; height: auto }}
.failed {{ border-color: #c33; color: #a00 }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #181818 }} figure {{ background: #222; border-color: #444 }}
}}
</style>
<h1>{title}</h1>
<p>{summary}</p>
<main>
{figures}</main>
</html>
"""


@dataclass(frozen=True)
class SheetEntry:
    """A result on the page: its name, its files and its small picture, or what went wrong."""

    name: str
    outputs: tuple[Path, ...] = ()
    thumbnail: Path | None = None
    error: str = ""


def check_contact_sheet(path: Path) -> None:
    """Refuse to replace a page that is not a batch's. Raises OutputError."""
    try:
        own = not path.exists() or (path.is_file() and _MARK in path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        own = False
    if not own:
        raise OutputError(f"{path} exists already, and is no contact sheet", hint="move it, or use another folder")


def write_contact_sheet(
    path: StrPath, entries: Iterable[SheetEntry], title: str, *, outputs: Outputs | None = None
) -> None:
    """Write a page of all results of a batch; failures come first. Raises OutputError."""
    path = Path(path)
    entries = sorted(entries, key=lambda entry: (not entry.error, entry.name))
    failed = sum(bool(entry.error) for entry in entries)
    figures = "".join(_figure(entry, path.absolute().parent) for entry in entries)
    summary = f"{len(entries) - failed} results" + (f", {failed} failed" if failed else "")
    page = _PAGE.format(mark=_MARK, title=html.escape(title), summary=summary, figures=figures)
    with opened(outputs, [path]) as group:
        group.write(path, page.encode("utf-8", "backslashreplace"))


def _figure(entry: SheetEntry, folder: Path) -> str:
    if entry.error:
        name, error = html.escape(entry.name), html.escape(entry.error)
        return f'<figure class="failed"><figcaption>{name}: {error}</figcaption></figure>\n'
    links = [(_link(path, folder), html.escape(path.name)) for path in entry.outputs]
    picture = ""
    if entry.thumbnail is not None and links:
        picture = f'<a href="{links[0][0]}"><img loading="lazy" alt="" src="{_link(entry.thumbnail, folder)}"></a>'
    named = " ".join(f'<a href="{link}">{name}</a>' for link, name in links)
    return f"<figure>{picture}<figcaption>{html.escape(entry.name)}<br>{named}</figcaption></figure>\n"


def _link(path: Path, folder: Path) -> str:
    """A file as a link from a page in `folder`."""
    return quote(os.fsencode(path.relative_to(folder).as_posix()))


def write_thumbnail(path: StrPath, pictures: Iterable[Path]) -> bool:
    """Write a small JPEG of the first of these files that is read, a video's first frame; False if there is none."""
    import cv2  # the page is written without it

    from depthapps.core.color import to_8bit
    from depthapps.io.film import read_film
    from depthapps.io.photos.images import read_image, write_image

    for picture in pictures:
        try:
            is_film = picture.suffix.lower() in FILM_SUFFIXES
            image = to_8bit(next(read_film(picture).frames) if is_film else read_image(picture))
            scale = min(1.0, _THUMBNAIL_PX / max(image.shape[:2]))
            size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_image(path, cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        except (DepthappsError, OSError, cv2.error):
            continue
        return True
    return False
