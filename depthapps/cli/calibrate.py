"""depthapps calibrate: a camera or a stereo rig from photos of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from depthapps.cli.options import TalkOptions


def calibrate(
    *,
    left_shots: Annotated[
        str,
        typer.Option("--left", help="the left camera's photos: pattern in quotes, or folder", metavar="PATTERN"),
    ],
    right_shots: Annotated[
        str | None,
        typer.Option("--right", help="the right camera's; without, one camera", metavar="PATTERN"),
    ] = None,
    board: Annotated[
        str, typer.Option(help="inner corners of a chessboard (9x6), or squares of a ChArUco board (charuco:11x8)")
    ],
    square: Annotated[float, typer.Option(help="the side of a square in metres, measured on the print", metavar="M")],
    marker: Annotated[
        float | None, typer.Option(help="the side of a ChArUco marker in metres [default: 3/4 square]", metavar="M")
    ] = None,
    dictionary: Annotated[str, typer.Option(help="the ChArUco board's markers", metavar="NAME")] = "4X4_50",
    output: Annotated[Path, typer.Option("--output", "-o", help="the calibration: .yml .xml .json", metavar="FILE")],
    coverage: Annotated[
        Path | None, typer.Option(help="draw where the corners fell in the views", metavar="FILE")
    ] = None,
    example: Annotated[
        Path | None, typer.Option(help="draw a pair rectified, with lines across both views", metavar="FILE")
    ] = None,
    talk: TalkOptions,
) -> None:
    """Calibrate a stereo rig, or one camera, from photos of a chessboard or a ChArUco board.

    \b
    depthapps calibrate --left 'left*.jpg' --right 'right*.jpg' --board 9x6 --square 0.025 -o rig.yml
    depthapps calibrate --left left --right right --board charuco:11x8 --square 0.02 --coverage cover.png -o rig.yml
    depthapps calibrate --left 'phone*.jpg' --board 9x6 --square 0.025 -o phone.yml
    """
    from depthapps.cli.calibration import calibrate_shots, tell
    from depthapps.cli.report import Report
    from depthapps.core.errors import InputError
    from depthapps.engine.calibrate.boards import Board
    from depthapps.engine.calibrate.checks import Rectifier, draw_coverage, draw_example
    from depthapps.io.calibration.write import STORAGE_SUFFIXES, write_camera, write_rig
    from depthapps.io.outputs import Outputs, check_suffix
    from depthapps.io.photos.images import IMAGE_SUFFIXES, read_image, write_image

    check_suffix(output, STORAGE_SUFFIXES, "a calibration")
    pictures = [path for path in (coverage, example) if path is not None]
    for path in pictures:
        check_suffix(path, IMAGE_SUFFIXES, "a picture")
    if example and right_shots is None:
        raise InputError("--example shows a pair, there is one camera only", hint="add --right, or leave it out")
    outputs = Outputs([output, *pictures], overwrite=talk.overwrite)
    pattern = Board.parse(board, square, marker, dictionary)
    report = Report("calibrate", talk)
    photos, size, solution = calibrate_shots(left_shots, right_shots, pattern, report)
    tell(solution, size, report)
    with report.stage("writing"), outputs:
        if solution.rig:
            write_rig(outputs.part(output), solution.rig, solution.rms_px)
        else:
            write_camera(outputs.part(output), solution.cameras[0], solution.rms_px)
        if coverage:
            write_image(outputs.part(coverage), draw_coverage(solution.used, size))
        if example and solution.rig:
            views = [read_image(path) for path in photos[solution.used[0].name]]
            write_image(outputs.part(example), draw_example(views[0], views[1], Rectifier.of(solution.rig)))
    report.finish(outputs.written)
