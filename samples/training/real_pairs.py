"""The coarse network on real pairs with known disparity: beside the engine's own maps, and as one more candidate.

    python samples/training/real_pairs.py --run DIR --real FOLDER

Nothing is learned from them. FOLDER holds a folder per scene: im0.png, im1.png, and the true disparity as disp0.pfm or
disp0.png (256 a pixel). What the engine itself makes of each is kept in DIR/real, for it takes longer than the network.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from coarse_loss import read
from coarse_net import CELL, DESIGNS, LEVELS, CoarseNet
from numpy.typing import NDArray

from depthapps.engine.front.align import align
from depthapps.engine.fusion.fuse import fuse, stack_candidates
from depthapps.engine.matching.pyramid import FOUR_PATHS, guess_disparity

Floats = NDArray[np.floating[Any]]

MULTIPLE = CELL * 16  # the network halves its grid four times
# The network's work grows with its grid: 0.35 MMAC a cell, 22 GMAC/Mpx of what it is shown. Views are shown at a size
# at which their disparities fit into the bins, and no larger than one of these times their own.
SCALES = (1.0, 1.5)
MOST_CELLS = 100_000
MARGIN_PX = 3  # of the resized views, before the smallest disparity and behind the largest
PLAIN_LEVELS, PLAIN_PX = 2.0, 9  # a root mean square gradient below this in a window is no texture
OCCLUDED = 0  # in mask0nocc.png, as is what is unknown
LEAST_PX = 500  # of a part of a scene, for a share to mean anything


@dataclass(frozen=True, eq=False)
class RealPair:
    """A scene: aligned views, truth, and what the engine makes of it; maps (H, W) in px, NaN where truth is unknown."""

    name: str
    left: NDArray[np.uint8]
    right_grey: NDArray[np.uint8]
    low_px: float
    high_px: float
    truth: Floats
    parts: dict[str, NDArray[np.bool_]]
    planes: Floats  # plain surfaces as planes
    half: Floats
    chosen: Floats  # what `balanced` returns
    nearest: Floats  # the error of the best of the nine candidates


def _read_truth(folder: Path) -> Floats:
    pfm = folder / "disp0.pfm"
    if pfm.exists():
        truth = np.asarray(cv2.imread(str(pfm), cv2.IMREAD_UNCHANGED), np.float32)
        return np.where(np.isfinite(truth) & (truth > 0), truth, np.nan).astype(np.float32)
    encoded = np.asarray(cv2.imread(str(folder / "disp0.png"), cv2.IMREAD_UNCHANGED), np.float32)
    return np.where(encoded > 0, encoded / 256, np.nan).astype(np.float32)


def _prepare(folder: Path) -> dict[str, Any]:
    left, right = (
        cv2.cvtColor(np.asarray(cv2.imread(str(folder / name)), np.uint8), cv2.COLOR_BGR2RGB)
        for name in ("im0.png", "im1.png")
    )
    truth = _read_truth(folder)
    views = align(left, right)
    guesses, known, from_right = guess_disparity(views, FOUR_PATHS)
    fused, *_ = fuse(views.left, views.right_grey, guesses, known, from_right)
    errors = np.abs(stack_candidates(guesses, known) - truth)
    mask = cv2.imread(str(folder / "mask0nocc.png"), cv2.IMREAD_GRAYSCALE)
    occluded = np.zeros(truth.shape, np.bool_) if mask is None else np.asarray(mask) == OCCLUDED
    dy, dx = np.gradient(views.left_grey.astype(np.float32))
    plain = np.sqrt(cv2.blur(np.asarray(dx * dx + dy * dy), (PLAIN_PX, PLAIN_PX))) < PLAIN_LEVELS
    return {
        "left": views.left,
        "right_grey": views.right_grey,
        "range": (views.low_px, views.high_px),
        "truth": truth,
        "occluded": occluded,
        "plain": plain & ~occluded,
        "planes": guesses[3],
        "half": guesses[2],
        "chosen": fused,
        "nearest": errors.min(axis=0),
    }


def load_pair(folder: Path, cache: Path) -> RealPair:
    """A scene, with what was kept of it."""
    path = cache / f"{folder.name}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **_prepare(folder))
        part.rename(path)
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    parts = {"all": np.ones(kept["truth"].shape, np.bool_), "plain": kept["plain"], "occluded": kept["occluded"]}
    low, high = kept["range"]
    names = ("truth", "planes", "half", "chosen", "nearest")
    maps = {name: kept[name].astype(np.float32) for name in names}
    return RealPair(folder.name, kept["left"], kept["right_grey"], float(low), float(high), parts=parts, **maps)


@torch.no_grad()
def coarse_map(net: CoarseNet, pair: RealPair, largest_scale: float) -> tuple[Floats, int]:
    """The network's disparity (H, W) px of the full view, and the cells that it took."""
    height, width = pair.truth.shape
    scale = min((LEVELS - 2 * MARGIN_PX) / (pair.high_px - pair.low_px), largest_scale)
    scale = min(scale, (CELL**2 * MOST_CELLS / (height * width)) ** 0.5)
    size = (round(width * scale), round(height * scale))
    shift = int(np.floor(pair.low_px * size[0] / width)) - MARGIN_PX
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = [cv2.resize(v, size, interpolation=how) for v in (pair.left, pair.right_grey)]
    down, across = -size[1] % MULTIPLE, -size[0] % MULTIPLE
    left = cv2.copyMakeBorder(small[0], 0, down, 0, across, cv2.BORDER_REPLICATE)
    grey = cv2.copyMakeBorder(small[1], 0, down, 0, 0, cv2.BORDER_REPLICATE)
    total = LEVELS + left.shape[1]
    right, known = (np.zeros((left.shape[0], total), np.float32) for _ in range(2))
    # what lies at x in the right view comes to LEVELS + shift + x, as far as that is inside
    start = LEVELS + shift
    kept = slice(max(0, -start), min(size[0], total - start))
    right[:, kept.start + start : kept.stop + start] = grey[:, kept] / 255
    known[:, kept.start + start : kept.stop + start] = 1
    room = np.arange(left.shape[1] // CELL) - shift / CELL
    tensors = (
        torch.from_numpy(left).permute(2, 0, 1)[None].float() / 255,
        torch.from_numpy(right)[None, None].expand(-1, 3, -1, -1),
        torch.from_numpy(known)[None, None],
        torch.from_numpy(room).float()[None, None, None].expand(-1, 1, left.shape[0] // CELL, -1),
    )
    guess = None
    if net.volume.design.guess:
        from matcher_guess import guess_volume

        guess = guess_volume(tensors[0], tensors[1])
    with torch.autocast("cpu", torch.bfloat16):
        found = read(net(*tensors, guess)).disparity[0, 0].numpy()
    # from pixels' middles to cells' middles
    x, y = (
        ((np.arange(n) + 0.5) * (m / n) / CELL - 0.5).astype(np.float32)
        for n, m in zip((width, height), size, strict=True)
    )
    found = (CELL * found + shift) * np.float32(width / size[0])
    columns, rows = np.meshgrid(x, y)
    full = cv2.remap(found, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(full, np.float32), found.size


def _wrong(error: Floats, truth: Floats, kitti: bool) -> NDArray[np.bool_]:
    """Off by more than 2 px; on KITTI by its own measure."""
    return (error > 3) & (error > 0.05 * truth) if kitti else error > 2


def _errors(net: CoarseNet, pair: RealPair) -> dict[str, Floats]:
    """|error| (H, W) px of every map that is compared."""
    maps = {"planes": pair.planes, "half-size matcher": pair.half, "balanced": pair.chosen}
    errors = {name: np.abs(found - pair.truth) for name, found in maps.items()}
    errors["best of nine candidates"] = pair.nearest
    for scale in SCALES:
        found, cells = coarse_map(net, pair, scale)
        error = np.abs(found - pair.truth)
        errors[f"coarse network, at most {scale:g} of the size"] = error
        errors[f"best of ten, with that at {scale:g}"] = np.fmin(pair.nearest, error)
        print(f"{pair.name}: {cells} cells for {pair.truth.size / 1e6:.2f} Mpx", flush=True)
    return errors


def look_at_real(net: CoarseNet, folder: Path, run: Path, step: int) -> str:
    """A table, also written to RUN/real-STEP.md: % wrong of engine and network, over KITTI and over the others."""
    net = net.to("cpu").eval()
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for scene in sorted(p for p in folder.iterdir() if (p / "im0.png").exists()):
        pair = load_pair(scene, run / "real")
        kitti, known = scene.name.startswith("kitti"), np.isfinite(pair.truth)
        for name, error in _errors(net, pair).items():
            wrong = _wrong(error, pair.truth, kitti)
            judged = [known & part for part in pair.parts.values()]
            shares = [100 * float(wrong[part].mean()) if part.sum() > LEAST_PX else np.nan for part in judged]
            group = ("kitti" if kitti else "others", name)
            rows.setdefault(group, []).append([*shares, float(np.nanmean(error))])
    lines = ["| scenes | map | wrong, % | plain | occluded | mean error, px |", "|---|---|---|---|---|---|"]
    for (group, name), values in sorted(rows.items(), key=lambda item: item[0][0]):
        table = np.ma.masked_invalid(np.array(values))
        means = " | ".join(f"{float(v):.2f}" for v in table.mean(axis=0).filled(np.nan))
        lines.append(f"| {group} ({len(values)}) | {name} | {means} |")
    text = f"step {step}\n\n" + "\n".join(lines) + "\n"
    (run / f"real-{step:08d}.md").write_text(text)
    print(text, flush=True)
    return text


def main() -> None:
    """Look at the newest checkpoint of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--design", choices=DESIGNS, default="plain")
    args = parser.parse_args()
    newest = max(args.run.glob("step-*"))
    net = CoarseNet(DESIGNS[args.design])
    net.load_state_dict(torch.load(newest / "average.pt", map_location="cpu"))
    look_at_real(net, args.real, args.run, int(newest.name.removeprefix("step-")))


if __name__ == "__main__":
    main()
