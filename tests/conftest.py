"""Shared scenes with exact truth, and where the sample and the real data are."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depthapps import Calibration, Camera, Scene, StereoPair, read_calibration

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
SAMPLE_PAIR = ("left.png", "right.png", "calib.txt", "disparity.png")  # with its calibration and exact disparity
REAL_PAIRS = ROOT.parent / "shared" / "data" / "stereo"
REAL_PHOTOS = ROOT.parent / "shared" / "data" / "photos"
REAL_PORTRAITS = ROOT.parent / "shared" / "data" / "portrait"

WIDTH, HEIGHT = 320, 240


@dataclass(frozen=True)
class TruePair:
    """A synthetic stereo pair and the left view's exact disparity, (H, W) px; `seen` is false where occluded."""

    pair: StereoPair
    disparity_px: NDArray[np.floating]
    seen: NDArray[np.bool_]


def _texture(seed: int) -> NDArray[np.floating]:
    """Smooth colour noise (2H, 3W, 3) in 0..255 that can be sampled between its pixels."""
    noise = np.random.default_rng(seed).random((2 * HEIGHT, 3 * WIDTH, 3)).astype(np.float32)
    smooth = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.2, 4.0))
    low, high = np.percentile(smooth, (1, 99))
    return np.clip((smooth - low) / (high - low), 0, 1) * 255


def _sample(texture: NDArray[np.floating], x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
    at = (x + WIDTH).astype(np.float32), (y + 20).astype(np.float32)
    return np.asarray(cv2.remap(texture, *at, cv2.INTER_CUBIC), np.float32)


@dataclass(frozen=True)
class Card:
    """A plane of disparity a·x + b·y + c over a rectangle of the left view."""

    a: float
    b: float
    c: float
    box: tuple[int, int, int, int] = (-10_000, -10_000, 10_000, 10_000)  # x0, y0, x1, y1
    seed: int = 0

    def disparity(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
        """Disparity at left pixels."""
        return self.a * x + self.b * y + self.c

    def covers(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether left positions lie on the card."""
        x0, y0, x1, y1 = self.box
        return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def make_pair(*cards: Card) -> TruePair:
    """The pair that shows the cards, later ones before earlier ones."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=float), np.arange(HEIGHT, dtype=float))
    left, right = np.zeros((2, HEIGHT, WIDTH, 3), np.float32)
    truth, owner, right_owner = (np.zeros((HEIGHT, WIDTH)) for _ in range(3))
    for k, card in enumerate(cards):
        texture = _texture(card.seed + k)
        on_left = card.covers(x, y)
        left[on_left] = _sample(texture, x, y)[on_left]
        truth[on_left], owner[on_left] = card.disparity(x, y)[on_left], k
        from_left = (x + card.b * y + card.c) / (1 - card.a)  # the left position whose match lands on each right pixel
        on_right = card.covers(from_left, y)
        right[on_right] = _sample(texture, from_left, y)[on_right]
        right_owner[on_right] = k
    landing = np.rint(x - truth).astype(int)
    inside = (landing >= 0) & (landing < WIDTH)
    seen = inside & (right_owner[y.astype(int), np.clip(landing, 0, WIDTH - 1)] == owner)
    views = [np.clip(np.rint(v), 0, 255).astype(np.uint8) for v in (left, right)]
    camera = Camera.centred(WIDTH, HEIGHT, 300.0)
    return TruePair(StereoPair(views[0], views[1], Calibration(camera, 0.1)), truth.astype(np.float32), seen)


@pytest.fixture(scope="session")
def slanted_plane() -> TruePair:
    """A floor-like plane from 12 to 36 px."""
    return make_pair(Card(0.02, 0.075, 12))


@pytest.fixture(scope="session")
def two_layers() -> TruePair:
    """A square at 30 px before a wall at 10 px."""
    return make_pair(Card(0, 0, 10), Card(0, 0, 30, (120, 70, 220, 170)))


@pytest.fixture(scope="session")
def thin_pole() -> TruePair:
    """A pole 7 px wide at 24 px before a wall at 12 px."""
    return make_pair(Card(0, 0, 12), Card(0, 0, 24, (150, 0, 157, HEIGHT)))


@pytest.fixture
def step_scene() -> Scene:
    """A square 1 m away before a wall 3 m away, 120x90 px, with a colour each."""
    depth = np.full((90, 120), 3, np.float32)
    image = np.full((90, 120, 3), (40, 80, 160), np.uint8)
    depth[30:60, 45:75] = 1
    image[30:60, 45:75] = (200, 120, 60)
    return Scene(image, depth, Camera.centred(120, 90, 100.0))


@pytest.fixture(scope="session")
def small_sample(tmp_path_factory) -> Path:
    """A folder with the files of `SAMPLE_PAIR` at half the size: what is done with them takes a quarter of the time."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("left.png", "right.png"):
        view = read_raw(SAMPLES / name)
        cv2.imwrite(str(folder / name), cv2.resize(view, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(folder / "disparity.png"), read_raw(SAMPLES / "disparity.png")[::2, ::2] // 2)
    file = read_calibration(SAMPLES / "calib.txt")
    height, width = read_raw(folder / "left.png").shape[:2]
    camera = Camera.from_matrix(2 * width, 2 * height, file.matrix).scaled_to(width, height)
    matrix = f"[{camera.fx} 0 {camera.cx}; 0 {camera.fy} {camera.cy}; 0 0 1]"
    assert file.baseline_m is not None
    cameras, baseline_mm = f"cam0={matrix}\ncam1={matrix}\ndoffs=0\n", 1000 * file.baseline_m
    text = f"{cameras}baseline={baseline_mm}\nwidth={width}\nheight={height}\n"
    (folder / "calib.txt").write_text(text, encoding="utf-8")
    return folder


def link_or_copy(source: Path, target: Path) -> None:
    """Make a file or folder appear elsewhere: by a link, or by a copy where Windows permits no links."""
    try:
        target.symlink_to(source)
    except OSError:
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def read_raw(path: Path) -> Any:
    """An image file as its samples stand in it."""
    data = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert data is not None
    return data


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; the test is skipped where there is none."""
    found = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if found is None:
        pytest.skip("no Chromium on this machine to open pages with")
    return found


@pytest.fixture(scope="session")
def real_pairs() -> Path:
    """The folder of real pairs with measured disparity; the test is skipped where it is not."""
    if not REAL_PAIRS.is_dir():
        pytest.skip("the real stereo pairs are not on this machine")
    return REAL_PAIRS
