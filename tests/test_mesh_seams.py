"""Photos that meet on a surface."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps.scan.paint import Look
from depthapps.scan.seams import Piece, even_out

# a square of two triangles: the first photo shows the one, the second photo the other, 10 px farther to the right
PIXELS = np.array([[4, 4], [44, 4], [44, 34], [4, 34]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [2, 3, 0]], np.int32)
NEIGHBOURS = np.array([[-1, -1, 1], [-1, -1, 0]])
LABEL = np.array([0, 1], np.int32)
LOOKS = [Look(PIXELS + np.array([dx, 0], np.float32), np.ones(4, bool), np.ones(4, np.float32)) for dx in (0, 10)]


def meeting(first: np.ndarray, second: np.ndarray, label: np.ndarray = LABEL) -> list[Piece | None]:
    pieces: list[Piece | None] = [
        Piece(np.repeat(p[..., None], 3, axis=2), left, 2) for p, left in ((first, 3), (second, 8))
    ]
    return even_out(pieces, LOOKS, label, TRIANGLES, NEIGHBOURS)


def plain(value: float) -> np.ndarray:
    return np.full((40, 60), value, np.uint8)


def on_seam(piece: Piece | None, dx: int) -> np.ndarray:
    assert piece is not None
    share = np.linspace(0, 1, 30)
    x, y = np.rint(4 + dx + 40 * share).astype(int) - piece.left, np.rint(4 + 30 * share).astype(int) - piece.top
    return piece.image[y, x, 0].astype(float)


def test_plain_photos_meet_halfway_everywhere():
    for piece in meeting(plain(100), plain(140)):
        assert piece is not None
        assert np.array_equal(piece.image, np.full((40, 60, 3), 120))


def test_a_step_that_changes_along_the_seam_is_gone_and_textures_stay():
    stripes = np.where(np.arange(60) % 8 < 4, 20, 0)
    first = np.tile(100 + stripes, (40, 1)).astype(np.uint8)
    second = (60 + np.roll(stripes, 5) + 2 * np.arange(40)[:, None]).astype(np.uint8)
    one, two = meeting(first, second)
    before = np.abs(on_seam(Piece(first[..., None], 3, 2), 0) - on_seam(Piece(second[..., None], 8, 2), 10))
    after = np.abs(on_seam(one, 0) - on_seam(two, 10))
    assert before.mean() > 15
    assert after.mean() < 3
    assert one is not None
    change = one.image[..., 0].astype(float) - first
    assert np.abs(np.diff(change, axis=1)).mean() < 1  # of what has steps of 20


@pytest.mark.parametrize("label", [[0, 0], [1, 1], [0, -1]])
def test_without_a_seam_nothing_changes(label):
    one, two = meeting(plain(100), plain(140), np.array(label, np.int32))
    assert one is not None
    assert two is not None
    assert (one.image == 100).all()
    assert (two.image == 140).all()


def test_photos_that_show_nothing_stay_out():
    looks = [*LOOKS, LOOKS[0]]
    pieces = [Piece(np.full((40, 60, 3), v, np.uint8), left, 2) for v, left in ((100, 3), (140, 8))]
    assert even_out([*pieces, None], looks, LABEL, TRIANGLES, NEIGHBOURS)[2] is None
