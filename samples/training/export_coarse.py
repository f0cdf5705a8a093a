"""Write the coarse network as two ONNX files that OpenCV runs, and check that it says what torch says.

    python samples/training/export_coarse.py --run DIR --output DIR

coarse_features.onnx takes a view's input (1, 12, h, w) and gives features and context; the engine compares features in
a loop of its own; coarse_volume.onnx takes volume, context and guide, and gives (1, BINS + 3, h, w). Grids have sides
that are multiples of 16.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from coarse_net import BINS, CELL, DESIGNS, GUIDE_CHANNELS, LEVELS, PICTURE_CHANNELS, CoarseNet, masks

FEATURES_FILE, VOLUME_FILE = "coarse_features.onnx", "coarse_volume.onnx"


def _write(net: Any, inputs: dict[str, Any], outputs: list[str], path: Path) -> None:
    sizes = {name: {2: "h", 3: "w"} for name in (*inputs, *outputs)}
    torch.onnx.export(
        net,
        tuple(inputs.values()),
        path,
        input_names=list(inputs),
        output_names=outputs,
        dynamic_axes=sizes,
        opset_version=17,
        dynamo=False,
    )


def export(net: CoarseNet, folder: Path) -> None:
    """Write both files, for grids of any size."""
    net = net.to("cpu", memory_format=torch.contiguous_format).eval()  # pyright: ignore[reportCallIssue]
    folder.mkdir(parents=True, exist_ok=True)
    context = net.features.join_fine[0].out_channels
    _write(
        net.features,
        {"picture": torch.zeros(1, PICTURE_CHANNELS, 32, 48)},
        ["features", "context"],
        folder / FEATURES_FILE,
    )
    shapes = {"volume": net.volume.groups * BINS, "context": context, "guide": GUIDE_CHANNELS + 1}
    inputs = {name: torch.zeros(1, channels, 32, 48) for name, channels in shapes.items()}
    _write(net.volume, inputs, ["out"], folder / VOLUME_FILE)


@torch.no_grad()
def agree(net: CoarseNet, folder: Path, size: tuple[int, int]) -> float:
    """The largest difference between torch and OpenCV over a random pair of (height, width) px, relative to the largest
    number there is."""
    net = net.to("cpu").eval()
    generator = torch.Generator().manual_seed(1)
    left = torch.rand(1, 3, *size, generator=generator)
    right = torch.rand(1, 3, size[0], size[1] + LEVELS, generator=generator)
    known, room = masks(torch.zeros(1), *size)
    told: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _, inputs, output: told.setdefault(name, []).append((inputs, output))

    hooks = [net.features.register_forward_hook(keep("features")), net.volume.register_forward_hook(keep("volume"))]
    net(left, right, known, room)
    for hook in hooks:
        hook.remove()
    worst = 0.0
    features = cv2.dnn.readNetFromONNX(str(folder / FEATURES_FILE), cv2.dnn.ENGINE_NEW)
    volume = cv2.dnn.readNetFromONNX(str(folder / VOLUME_FILE), cv2.dnn.ENGINE_NEW)
    calls = [(features, ["picture"], ["features", "context"], *told["features"][0])]
    calls.append((volume, ["volume", "context", "guide"], ["out"], *told["volume"][0]))
    for network, names, outputs, inputs, wanted in calls:
        for name, value in zip(names, inputs, strict=False):
            network.setInput(np.ascontiguousarray(value.numpy()), name)
        found = network.forward(outputs)
        for one, other in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            scale = float(other.abs().max())
            worst = max(worst, float(np.abs(np.asarray(one) - other.numpy()).max()) / scale)
    return worst


def main() -> None:
    """Export the newest checkpoint of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--design", choices=[name for name in DESIGNS if name != "guess"], default="plain")
    args = parser.parse_args()
    net = CoarseNet(DESIGNS[args.design])
    net.load_state_dict(torch.load(max(args.run.glob("step-*")) / "average.pt", map_location="cpu"))
    export(net, args.output)
    side = 16 * CELL
    print(f"largest relative difference: {agree(net, args.output, (4 * side, 6 * side)):.2g}")


if __name__ == "__main__":
    main()
