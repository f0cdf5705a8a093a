"""Checks of the layered scenes and the coarse network, by hand: pytest samples/training/test_layered.py."""

# ruff: noqa: D103

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch  # pyright: ignore[reportMissingImports]
from bank import texture_bank
from coarse_loss import cell_truth, mixture, nearest_error, read
from coarse_net import BINS, CELL, LEVELS, CoarseNet, Design, correlation
from layered_pairs import HEIGHT, WIDTH, layered_pair, render_pair
from layouts import random_layers
from numpy.typing import NDArray
from tracing import surface

SEEDS = range(40)


def _matte(seed: int) -> Any:
    """A scene in which surfaces look the same from both sides."""
    scene = random_layers(np.random.default_rng((seed, 11)), WIDTH, HEIGHT, LEVELS)
    for name in ("gloss", "mirror"):
        scene.layers[name] = 0
    return scene


def _moved(right: NDArray[Any], disparity: NDArray[Any]) -> NDArray[Any]:
    """The right view (H, W + LEVELS, 3) as the left camera would see it."""
    x = np.arange(WIDTH, dtype=np.float32) + LEVELS - disparity
    y = np.repeat(np.arange(HEIGHT, dtype=np.float32)[:, None], WIDTH, axis=1)
    return np.asarray(cv2.remap(right.astype(np.float32), x, y, cv2.INTER_CUBIC))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_not_hidden_looks_the_same_in_both_views(seed: int) -> None:
    pair = render_pair(_matte(seed), texture_bank(0), -LEVELS, np.zeros(3, np.float32))
    left = pair.left.astype(np.float32)
    error = np.abs(_moved(pair.right, pair.disparity_px) - left).mean(axis=2)
    # away from rims, which mix two surfaces, and from where something is hidden
    jumps = cv2.dilate(pair.disparity_px, np.ones((5, 5))) - cv2.erode(pair.disparity_px, np.ones((5, 5)))
    inner = (jumps < 3) & (cv2.dilate(pair.occluded.astype(np.uint8), np.ones((7, 7))) == 0)
    if inner.sum() < 1000:
        pytest.skip("all rims")
    # fine texture is resampled, so single px differ; a disparity off by half a px would raise this severalfold
    assert np.median(error[inner]) < 0.01 * left.mean()
    off = np.abs(_moved(pair.right, pair.disparity_px + 0.5) - left).mean(axis=2)
    assert np.mean(error[inner]) <= np.mean(off[inner]) + 1e-4


@pytest.mark.parametrize("seed", SEEDS)
def test_no_surface_folds_over_itself(seed: int) -> None:
    scene = _matte(seed)
    for layer in scene.layers:
        for y in (10.0, 100.0):
            d = np.array([surface(layer, float(x), y)[0] for x in range(int(max(layer["left"], 0)), WIDTH, 3)])
            assert (np.diff(d) < 3).all()


def test_a_seed_makes_one_pair() -> None:
    first, second = layered_pair(5), layered_pair(5)
    assert np.array_equal(first.left, second.left)
    assert np.array_equal(first.right, second.right)
    assert np.array_equal(first.disparity_px, second.disparity_px)


def test_disparities_lie_in_the_levels_and_spread_over_them() -> None:
    pairs = [layered_pair(seed) for seed in SEEDS]
    largest = np.array([np.percentile(p.disparity_px, 99) for p in pairs])
    inside = np.mean([np.mean((p.disparity_px >= 0) & (p.disparity_px < LEVELS)) for p in pairs])
    assert inside > 0.97
    assert (largest > 0.7 * LEVELS).mean() > 0.1
    assert (largest < 0.25 * LEVELS).mean() > 0.1


def test_correlation_is_what_shifted_products_are() -> None:
    torch.manual_seed(0)
    left = torch.randn(2, 8, 3, 20, requires_grad=True)
    right = torch.randn(2, 8, 3, 20 + BINS, requires_grad=True)
    known = (torch.rand(2, 1, 3, 20 + BINS) > 0.3).float()
    fast = correlation(left, right, known)
    a = torch.nn.functional.normalize(left, dim=1, eps=1e-3)
    b = torch.nn.functional.normalize(right, dim=1, eps=1e-3) * known
    slow = torch.stack([(a * b[..., BINS - k : BINS - k + 20]).sum(1) for k in range(BINS)], 3)
    assert torch.allclose(fast, slow, atol=1e-5)
    weights = torch.randn_like(slow)
    for one, other in zip(
        torch.autograd.grad((fast * weights).sum(), [left, right]),
        torch.autograd.grad((slow * weights).sum(), [left, right]),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-4)


def test_the_mixture_is_read_as_one_of_its_modes() -> None:
    truth = torch.full((1, CELL**2, 1, 1), 10.0)
    truth[:, -4:] = 40.0
    target, known = mixture(truth)
    assert known.all()
    assert torch.allclose(target.sum(1), torch.ones(1, 1, 1))
    out = torch.cat([torch.log(target + 1e-9), torch.zeros(1, 3, 1, 1)], 1)
    assert abs(float(read(out).disparity) - 10) < 0.1
    assert abs(float(nearest_error(torch.full((1, 1, 1, 1), 38.0), truth)) - 2) < 1e-6


def test_cells_hold_the_disparities_of_their_pixels() -> None:
    px = torch.arange(32.0).reshape(1, 1, 4, 8)
    assert cell_truth(px)[0, :4, 0, 1].tolist() == [v / CELL for v in (4, 5, 6, 7)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of torch's own exporter
@pytest.mark.parametrize("design", [Design(), Design(patches=True)])
def test_opencv_runs_the_network_as_torch_does(design: Design, tmp_path: Path) -> None:
    from export_coarse import agree, export

    torch.manual_seed(0)
    net = CoarseNet(design).eval()
    export(net, tmp_path)
    assert max(agree(net, tmp_path, size) for size in ((64, 128), (128, 192))) < 1e-3
