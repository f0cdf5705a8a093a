"""Define `depthapps view`, which makes a page in which a photo with its depth is alive."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import RunOptions, SourceOptions
from depthapps.cli.pages import arguments_of
from depthapps.core.choices import PageMode
from depthapps.io.formats import VIEWER_SUFFIXES
from depthapps.io.outputs import check_suffix


def view(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="the page, .html", metavar="FILE")],
    mode: Annotated[PageMode, typer.Option(help="in which the page opens")] = PageMode.TURN,
    open_page: Annotated[bool, typer.Option("--open", help="open the page in the browser")] = False,
    source: SourceOptions,
    run: RunOptions,
) -> None:
    """Make a web page to refocus, relight, turn and measure a photo.

    One file, which needs no server and no network, for any browser with WebGL 2. It also shows the command line and the
    Python that make what it shows at full quality.

    \b
    depthapps view left.png right.png -c calib.txt -o page.html --open
    depthapps view iphone_portrait.heic -o page.html --mode refocus
    depthapps view photo.png --depth depth.npy --fov 60 -o page.html --mode relight
    """
    check_suffix(output, VIEWER_SUFFIXES, "a page")
    from depthapps.cli.opening import Opening

    opening = Opening.of("view", source, run, [output])
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.view import make_page, write_page

    report, outputs = opening.report, opening.outputs
    opened = opening.scene(confidence=True)
    page = make_page(opened, mode, command=arguments_of(source), progress=report.follow)
    report.take(page)
    with report.stage("writing"), outputs:
        write_page(output, page, outputs=outputs)
        write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.finish(outputs.written)
    if open_page and not _shown(output):
        report.note("no browser was found to open the page with: open it from any other")


def _shown(page: Path) -> bool:
    """Whether a browser took the page."""
    try:
        return webbrowser.open(page.absolute().as_uri())
    except (webbrowser.Error, OSError):
        return False
