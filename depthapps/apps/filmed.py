"""Do a command for every frame of a video, and make a video of its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from depthapps.apps.batch.task import Told
from depthapps.apps.journal import Journal
from depthapps.core.color import to_8bit
from depthapps.core.errors import InputError
from depthapps.io.film import Film
from depthapps.io.photos.images import read_image, write_image
from depthapps.io.scratch import temporary_folder
from depthapps.io.video import Frame

_PATIENCE = 30  # frames: a title of a second may stand before the first one that can be matched
_TOLD_FRAMES = 8  # whose numbers a note lists
_OF_FILES = ("command", "inputs", "outputs", "seconds")  # facts of the frame's own files
_RESIZED = "the results of the frames differ in size, and are brought to that of the first one"


@dataclass
class Filmed:
    """What is told of the frames as they are done.

    count: frames so far. repeated: the numbers, from 1, of those that could not be done, for which the result before
    stands. first: the facts of the first frame that could.
    """

    count: int = 0
    repeated: list[int] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)


def results_of(
    film: Film, name: str, do: Callable[[Path, Path], Told], told: Filmed, journal: Journal
) -> Iterator[Frame]:
    """The result of each frame, (H, W, 3) uint8 RGB.

    Parameters
    ----------
    film : Film
    name : str
        Of the video, for messages.
    do : callable
        Makes a result of a picture, from its path to another path, both PNG; its errors are part of what it tells.
    told : Filmed
        Filled in on the way.
    journal : Journal
        Takes the notes of the frames, each once, and how far the work is.

    Raises
    ------
    InputError
        None of the first frames can be done.
    """
    said: set[str] = set()
    shown, error, hint = None, "", ""
    with temporary_folder() as folder:
        frame, result = folder / "frame.png", folder / "result.png"
        for image in journal.steps(film.frames, max(film.promised, 1), "frames"):
            told.count += 1
            write_image(frame, image)
            answer = do(frame, result)
            if answer.traceback:
                raise RuntimeError(f"frame {told.count} of {name}: {answer.traceback}")
            for note in answer.notes:
                if note not in said:
                    said.add(note)
                    journal.note(note)
            if answer.error:
                told.repeated.append(told.count)
                error, hint = error or answer.error, hint or answer.hint
                if shown is not None:
                    yield shown
                elif told.count == _PATIENCE:
                    break
                continue
            before = 1 if shown is not None else told.count  # what comes before the first result shows it, too
            told.first = told.first or {k: v for k, v in answer.facts.items() if k not in _OF_FILES}
            shown = _of_size(shown, np.asarray(to_8bit(read_image(result)), np.uint8), journal)
            result.unlink()
            yield from [shown] * before
    if shown is None:
        raise InputError(f"no frame of the first {told.count} of {name} can be done: {error}", hint=hint)
    _tell_of(film, name, told, error, journal)


def _of_size(before: Frame | None, now: Frame, journal: Journal) -> Frame:
    """A result of the size of the one before it: what is cut to what both eyes see differs by some pixels."""
    if before is None or now.shape == before.shape:
        return now
    if not any(note.raw == _RESIZED for note in journal.notes):
        journal.note(_RESIZED)
    return np.asarray(cv2.resize(now, before.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _tell_of(film: Film, name: str, told: Filmed, error: str, journal: Journal) -> None:
    if told.repeated:
        numbers = ", ".join(map(str, told.repeated[:_TOLD_FRAMES]))
        more = " and others" if len(told.repeated) > _TOLD_FRAMES else ""
        journal.note(
            f"{len(told.repeated)} of {told.count} frames of {name} could not be done and show a neighbour's result: "
            f"{numbers}{more}: {error}"
        )
    if told.count < film.promised - 1:  # containers round
        journal.note(f"{name} promises {film.promised} frames, and {told.count} could be read: is it whole?")
