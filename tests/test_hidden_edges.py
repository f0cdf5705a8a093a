"""Depth edges go on as lines behind what hides them."""

from __future__ import annotations

import numpy as np
import pytest

from depthapps import Camera, Scene
from depthapps.core.geometry import depth_from_inverse
from depthapps.mesh import behind as behind_module
from depthapps.mesh.hidden_edges import hidden_edges
from depthapps.mesh.whole import whole_surface
from depthapps.surface.continuation import slopes
from depthapps.surface.tearing import DEPTH_STEP, BoolMap, surface_links

HEIGHT, WIDTH = 200, 300
WALL, NEAR = 0.2, 1.0  # 1/Z of the wall and of what hides
_Y, _X = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


def _table(edge: np.ndarray) -> np.ndarray:
    """1/Z of a wall, and of a table in front of it that comes nearer downwards and begins at a row (H, W)."""
    return np.where(edge <= _Y, 0.4 + 0.002 * (_Y - 90), WALL).astype(np.float32)


def _pear() -> BoolMap:
    """What is narrow at the top and wide at the bottom, so that its outline is nowhere square to the table's edge."""
    return (np.abs(_X - 150) < 12 + 0.9 * (_Y - 60)) & (_Y > 60) & (_Y < 130)


def _edges(inverse: np.ndarray) -> BoolMap:
    links = surface_links(depth_from_inverse(inverse))
    return hidden_edges(inverse, links, slopes(inverse, links), (1 - np.float32(DEPTH_STEP)) * inverse)


@pytest.mark.parametrize("slope", [0.0, 0.12, -0.2])
def test_a_tables_edge_goes_on_straight_behind_what_hides_it(slope):
    edge, hides = 100 + slope * (_X - 150), _pear()
    drawn = _edges(np.where(hides, np.float32(NEAR), _table(edge)))
    assert not drawn[~hides].any() or np.abs(_Y - edge)[drawn & ~hides].max() <= 3
    behind = drawn & hides
    assert set(np.nonzero((hides & (np.abs(_Y - edge) < 1)).any(axis=0))[0]) <= set(np.nonzero(behind.any(axis=0))[0])
    assert np.abs(_Y - edge)[behind].max() < 4


def test_a_line_goes_on_only_while_it_is_hidden_and_not_far_from_a_short_edge():
    edge, hides = np.full_like(_Y, 100), (np.abs(_X - 150) < 20) & (_Y > 40) & (_Y < 130)
    table = np.where(_X > 110, _table(edge), np.float32(WALL))  # it begins 20 px left of the thing, and right of it
    drawn = _edges(np.where(hides, np.float32(NEAR), table))
    assert drawn[98:103, 131:170].any(axis=0).all()
    assert not drawn[:, :108].any()
    assert not drawn[:, 174:].any()


def test_curved_and_short_edges_and_those_that_nothing_hides_tell_no_line():
    curved = _table(100 + 3 * np.sin(_X / 3))
    assert not _edges(np.where(_pear(), np.float32(NEAR), curved)).any()
    assert not _edges(_table(np.full_like(_Y, 100))).any()
    card = (np.abs(_X - 150) < 40) & (np.abs(_Y - 100) < 40)
    assert not _edges(np.where(card, np.float32(NEAR), np.float32(WALL))).any()
    for shown, drawn in ((6, False), (14, True)):  # px of the edge, between two things that hide the rest
        slot = (150 - shown <= _X) & (_X < 150)
        lines = _edges(np.where(slot, _table(np.full_like(_Y, 100)), np.float32(NEAR)))
        assert lines.any() == drawn
        assert lines[:, 150:].any(axis=0).sum() <= 5 * shown
    stub = np.where((_X > 142) & (_X < 158) & (_Y >= 92), np.float32(0.4), np.float32(WALL))  # a post, 8 px are seen
    assert not _edges(np.where(_Y >= 100, np.float32(NEAR), stub)).any()


def test_a_picture_without_depth_edges_has_no_hidden_ones():
    assert not _edges(np.full((1, 1), 0.3, np.float32)).any()
    assert not _edges(np.full((40, 60), np.nan, np.float32)).any()


def _scene(edge: np.ndarray) -> Scene:
    inverse = np.where(_pear(), np.float32(NEAR), _table(edge))
    image, sure = np.full((HEIGHT, WIDTH, 3), 120, np.uint8), np.ones((HEIGHT, WIDTH), np.float32)
    camera = Camera.centred(WIDTH, HEIGHT, 280.0)
    return Scene(image, (1 / inverse).astype(np.float32), camera, confidence=sure)


def _wrong(scene: Scene, edge: np.ndarray) -> float:
    """The share of what a model has behind the pear that is wall below the table's edge, or table above it."""
    back = whole_surface(scene, fill=True, turn_deg=15).backs[0]
    inside = np.s_[back.margin : back.margin + HEIGHT, back.margin : back.margin + WIDTH]
    new, is_table = back.new[inside] & _pear(), 1 / back.surface.depth_m[inside] > 0.3
    judged = new & (np.abs(_Y - edge) > 2)
    assert judged.sum() > 0.8 * _pear().sum()
    return float((is_table != (edge <= _Y))[judged].mean())


def test_what_is_behind_a_thing_is_parted_along_the_hidden_edge(monkeypatch):
    edge = 95 + 0.1 * (_X - 150)
    assert _wrong(_scene(edge), edge) < 0.02
    monkeypatch.setattr(behind_module, "hidden_edges", lambda inverse, *_: np.zeros(inverse.shape, bool))
    assert _wrong(_scene(edge), edge) > 0.08


def test_between_two_lines_of_one_edge_no_slit_stays_open(monkeypatch):
    """The same edge, told by both of its parts: its lines cross, and close off what lies between them."""

    def crossed(inverse, *_):
        lines = np.zeros(inverse.shape, bool)
        if lines.shape == (HEIGHT, WIDTH):
            for row in (93, 97):
                lines[row, 60:240] = True
        return lines

    edge = np.full_like(_Y, 95)
    monkeypatch.setattr(behind_module, "hidden_edges", crossed)
    back = whole_surface(_scene(edge), fill=True, turn_deg=15).backs[0]
    assert not back.new[back.margin + 10 : back.margin + 80, back.margin + 5 : back.margin + 100].any()
    slit = np.s_[back.margin + 92 : back.margin + 99, back.margin + 125 : back.margin + 175]
    assert back.new[slit].all()
    assert np.isfinite(back.surface.depth_m[slit]).all()
