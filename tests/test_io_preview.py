"""Previews show near and far in colour, with a legend."""

from __future__ import annotations

import numpy as np
import pytest

import depthapps as da
from depthapps.draw import preview
from depthapps.draw.preview import render_depth_preview, render_disparity_preview


def test_the_picture_keeps_its_size_and_gets_a_legend():
    disparity = np.linspace(5, 60, 300, dtype=np.float32)[None].repeat(200, axis=0)
    disparity[50:60, 50:60] = np.nan
    preview = render_disparity_preview(disparity)
    assert preview.shape[0] == 200
    assert preview.shape[1] > 330
    assert preview.dtype == np.uint8
    assert (preview[50:60, 50:60] == 64).all()
    near, far = preview[100, 295].astype(int), preview[100, 4].astype(int)
    assert near[0] > near[2]  # red
    assert far[2] > far[0]  # blue
    assert preview[:, 300:].std() > 20


def test_depth_and_disparity_have_the_same_colours():
    disparity = np.random.default_rng(0).uniform(5, 60, (100, 120)).astype(np.float32)
    assert np.abs(
        render_depth_preview(30 / disparity)[:, :120].astype(int) - render_disparity_preview(disparity)[:, :120]
    ).max() <= 8  # fmt: skip


@pytest.mark.parametrize(
    "depth",
    [
        np.full((40, 50), 2, np.float32),
        np.full((40, 50), np.nan, np.float32),
        np.array([[np.inf, 1, np.nan, 3]], np.float32).repeat(30, axis=0),
        np.geomspace(0.01, 5000, 2000, dtype=np.float32).reshape(40, 50),
    ],
    ids=["flat", "unknown", "infinite", "wide"],
)
def test_odd_maps_are_drawn_too(depth):
    assert render_depth_preview(depth).shape[0] == depth.shape[0]


@pytest.mark.parametrize(("farthest_m", "label"), [(10.0, "10"), (1e6, "inf"), (np.inf, "inf")])
def test_the_far_end_of_the_legend_is_what_its_colour_means(monkeypatch, farthest_m, label):
    labels = []
    monkeypatch.setattr(
        preview, "_picture", lambda values, low, high, unit, ticks, sure: labels.append((low, high, ticks))
    )
    depth = np.ones((40, 50), np.float32)
    depth[:10] = farthest_m
    render_depth_preview(depth)
    low, high, ticks = labels[0]
    assert ticks[min(ticks)] == label
    assert all(low <= position <= high * 1.001 for position in ticks)


def test_what_is_unsure_is_grey_and_does_not_stretch_the_legend():
    disparity = np.linspace(5, 60, 300, dtype=np.float32)[None].repeat(200, axis=0)
    plain, sure = render_disparity_preview(disparity), np.ones((200, 300), bool)
    sure[50:100, 50:100] = False
    disparity[50:100, 50:100] = 3000
    drawn = render_disparity_preview(disparity, sure)
    assert (drawn[50:100, 50:100] == 128).all()
    assert np.array_equal(drawn[150:], plain[150:])
    assert drawn[100, 295, 0] > drawn[100, 295, 2]  # the nearest that is sure is red still


def test_a_few_outliers_leave_the_rest_of_the_map_its_colours():
    disparity = np.linspace(5, 60, 300, dtype=np.float32)[None].repeat(200, axis=0)
    disparity[:3] = 3000  # 1.5 %
    drawn = render_disparity_preview(disparity)
    assert abs(drawn[100, 5].astype(int) - drawn[100, 250].astype(int)).max() > 100


def test_nothing_sure_is_drawn_too():
    depth = np.full((40, 50), 2, np.float32)
    drawn = render_depth_preview(depth, np.zeros((40, 50), bool))
    assert (drawn[:, :50] == 128).all()


@pytest.mark.parametrize(("unsure", "grey"), [(da.Unsure.GREY, True), (da.Unsure.KEEP, False)])
def test_depth_of_low_confidence_is_what_is_unsure(two_layers, unsure, grey):
    camera, disparity = two_layers.pair.calibration.camera, two_layers.disparity_px
    confidence = np.ones(disparity.shape, np.float32)
    confidence[:, :50] = 0.1
    depth = da.depth_from_disparity(disparity, two_layers.pair.calibration)
    opened = da.OpenedScene(
        scene=da.Scene(two_layers.pair.left, depth, camera, confidence=confidence),
        calibration=two_layers.pair.calibration,
        disparity_px=disparity,
        metadata=da.Metadata(),
        depth_is_given=False,
    )
    drawn = da.draw_preview(opened, unsure)
    assert (drawn[:, :50] == 128).all() == grey
    assert not (drawn[:, 50:300] == 128).all(axis=2).any()
