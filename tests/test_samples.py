"""The sample pair is what its calibration and disparity say, and small."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types

import cv2
import numpy as np
import pytest
from conftest import SAMPLES

from depthapps import Calibration, Layout, StereoPair, match_pair, read_calibration, read_disparity, read_image
from depthapps.io.photos.contents import read_contents
from depthapps.io.photos.views import split_views


def test_the_samples_are_small():
    assert sum(p.stat().st_size for p in SAMPLES.rglob("*") if p.is_file() and "__pycache__" not in p.parts) < 5e6


def test_the_disparity_leads_from_the_left_view_to_the_right():
    left, right = (read_image(SAMPLES / n).astype(np.float32) for n in ("left.png", "right.png"))
    disparity = read_disparity(SAMPLES / "disparity.png")
    assert np.isfinite(disparity).all()
    y, x = np.mgrid[: disparity.shape[0], : disparity.shape[1]].astype(np.float32)

    def residual(shift: float) -> float:
        warped = cv2.remap(
            right, x - disparity + np.float32(shift), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return float(np.median(np.abs(warped - left)))

    assert residual(0) < 3
    assert residual(0) < min(residual(-0.5), residual(0.5))


def test_the_engine_finds_it():
    left, right = read_image(SAMPLES / "left.png"), read_image(SAMPLES / "right.png")
    height, width = left.shape[:2]
    file = read_calibration(SAMPLES / "calib.txt")
    camera = file.camera(width, height)
    assert (camera.cx, camera.cy) == ((width - 1) / 2, (height - 1) / 2)
    assert file.baseline_m is not None
    found = match_pair(StereoPair(left, right, Calibration(camera, file.baseline_m))).disparity_px
    error = np.abs(found - read_disparity(SAMPLES / "disparity.png"))
    assert 100 * (error > 1).mean() < 9
    assert 100 * (error > 2).mean() < 6


@pytest.mark.parametrize("seed", [2, 7])
def test_the_disparity_of_a_training_pair_leads_from_left_to_right(seed, monkeypatch):
    monkeypatch.syspath_prepend(SAMPLES / "training")
    scenes = importlib.import_module("scenes")
    pair = scenes.training_pair(seed, 192, 128)
    again = scenes.training_pair(seed, 192, 128)
    assert np.array_equal(pair.left, again.left)
    assert np.array_equal(pair.disparity_px, again.disparity_px)
    y, x = np.mgrid[:128, :192].astype(np.float32)
    left, right = pair.left.astype(np.float32), pair.right.astype(np.float32)

    def residual(shift: float) -> float:
        warped = cv2.remap(right, x - pair.disparity_px + np.float32(shift), y, cv2.INTER_LINEAR)
        return float(np.mean(np.minimum(np.abs(warped - left), 30)))

    assert residual(0) < 0.85 * min(residual(-2), residual(2))  # a third of it is hidden from the right view


def test_the_samples_of_one_file_hold_what_the_pair_does():
    contents = read_contents(SAMPLES / "portrait.jpg")
    assert contents.inverse_m is not None
    assert contents.scaled
    left = read_image(SAMPLES / "left.png")
    depth_m = 1384.7286 * 0.05 / read_disparity(SAMPLES / "disparity.png")
    height, width = contents.inverse_m.shape
    inverse = cv2.resize(1 / depth_m, (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(contents.inverse_m / inverse - 1).max() < 0.03
    assert np.abs(contents.photo.image.astype(int) - left).mean() < 4
    both = split_views(read_image(SAMPLES / "side_by_side.jpg"), Layout.SIDE_BY_SIDE)
    for view, name in zip(both, ("left.png", "right.png"), strict=True):
        assert np.abs(view.astype(int) - read_image(SAMPLES / name)).mean() < 4


def test_a_batch_on_slurm_asks_for_workers_and_runs_on_their_scheduler(monkeypatch):
    slurm, asked, ran = importlib.import_module("slurm"), {}, []

    class SLURMCluster(contextlib.nullcontext):
        scheduler_address = "tcp://node:1"

        def __init__(self, **settings):
            super().__init__()
            asked.update(settings)

        def scale(self, jobs):
            asked["jobs"] = jobs

    def run(command, check):
        ran.extend(command)
        return types.SimpleNamespace(returncode=7)

    monkeypatch.setitem(sys.modules, "dask_jobqueue", types.SimpleNamespace(SLURMCluster=SLURMCluster))
    monkeypatch.setattr(slurm.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["slurm.py", "--jobs", "3", "--cores", "2", "--", "depth", "--out-dir", "o"])
    assert slurm.main() == 7
    assert (asked["jobs"], asked["job_cpu"], asked["processes"]) == (3, 2, 1)
    assert ran[3:] == ["batch", "depth", "--out-dir", "o", "--dask", "tcp://node:1", "--worker-threads", "2"]


def test_a_batch_on_slurm_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    monkeypatch.setattr(sys, "argv", ["slurm.py", "--", "depth"])
    with pytest.raises(SystemExit):
        importlib.import_module("slurm").main()
    assert "pip install 'depthapps[cluster]' dask-jobqueue" in capsys.readouterr().err
