"""Define `depthapps calibrate`, which measures a camera or a stereo rig from photos of a board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from depthapps.cli.options import TalkOptions
from depthapps.core.errors import InputError
from depthapps.io.formats import CALIBRATION_SUFFIXES, IMAGE_SUFFIXES
from depthapps.io.outputs import Outputs, check_suffix
from depthapps.io.shots import find_files


@dataclass(frozen=True)
class BoardOptions:
    """Options of the board that the photos show."""

    headings: ClassVar = {"board": "The board"}

    board: Annotated[
        str, typer.Option(help="inner corners of a chessboard (9x6), or squares of a ChArUco board (charuco:11x8)")
    ]
    square: Annotated[float, typer.Option(help="the side of a square in metres, measured on the print", metavar="M")]
    marker: Annotated[
        float | None, typer.Option(help="the side of a ChArUco marker in metres [default: 3/4 square]", metavar="M")
    ] = None
    dictionary: Annotated[
        str | None, typer.Option(help="the ChArUco board's markers [default: 4X4_50]", metavar="NAME")
    ] = None


def calibrate(
    *,
    left_shots: Annotated[
        str,
        typer.Option("--left", help="the left camera's photos: pattern in quotes, or folder", metavar="PATTERN"),
    ],
    right_shots: Annotated[
        str | None,
        typer.Option("--right", help="the right camera's photos; leave out for one camera", metavar="PATTERN"),
    ] = None,
    board: BoardOptions,
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
    check_suffix(output, CALIBRATION_SUFFIXES, "a calibration")
    pictures = [path for path in (coverage, example) if path is not None]
    for path in pictures:
        check_suffix(path, IMAGE_SUFFIXES, "a picture")
    if example and right_shots is None:
        raise InputError("--example shows a pair, there is one camera only", hint="add --right, or leave it out")
    photos = [file.path for shots in (left_shots, right_shots) if shots for file in find_files(shots)]
    outputs = Outputs([output, *pictures], overwrite=talk.overwrite, inputs=photos)
    from depthapps.cli.report import Report

    report = Report("calibrate", talk)
    from depthapps.apps.calibrate import calibrate_cameras
    from depthapps.engine.calibrate.boards import Board
    from depthapps.io.calibration.write import write_calibration
    from depthapps.io.photos.images import write_image

    pattern = Board.parse(board.board, board.square, board.marker, board.dictionary)
    found = calibrate_cameras(left_shots, right_shots, pattern, progress=report.follow)
    report.take(found)
    views = ("left", "right")[: len(found.cameras)]
    report.table(
        ["shot", *(f"{view} px" for view in views)],
        [[name, *(f"{v:.2f}" for v in residuals)] for name, residuals in found.residuals_px.items()],
    )
    with report.stage("writing"), outputs:
        write_calibration(output, found.rig or found.cameras[0], found.rms_px, outputs=outputs)
        if coverage:
            write_image(coverage, found.draw_coverage(), outputs=outputs)
        if example:
            write_image(example, found.draw_example(), outputs=outputs)
    report.finish(outputs.written)
