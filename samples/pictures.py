"""Make the README's pictures from the sample pair with depthapps itself.

Run it with::

    pip install .
    python samples/pictures.py

It writes samples/pictures/*.jpg in about half a minute. The view of the mesh is a frame of the video that turns it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

import depthapps as da

SAMPLES = Path(__file__).parent
WIDTH = 1008
JPEG_QUALITY = 88
PAIR = [str(SAMPLES / "left.png"), str(SAMPLES / "right.png"), "-c", str(SAMPLES / "calib.txt")]
COMMANDS = {
    "depth": ["depth", *PAIR],
    "bokeh": ["bokeh", *PAIR, "--focus", "400,430", "--blur", "18"],
    "relit": [
        "shadow", *PAIR, "--light", "point", "--position=-0.9,-0.5,0.6", "--size", "0.15",
        "--intensity", "1.6", "--ambient", "0.12",
    ],
}  # fmt: skip
TURNED_DEG = 10


def save(picture: Path, name: str) -> None:
    """Keep a picture as a JPEG of the README's width."""
    image = cv2.imread(str(picture))
    if image is None:
        sys.exit(f"{picture} was not made")
    scale = WIDTH / image.shape[1]
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    folder = SAMPLES / "pictures"
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def main() -> None:
    """Run the commands and keep their pictures."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, command in COMMANDS.items():
            picture = work / f"{name}.png"
            subprocess.run([sys.executable, "-m", "depthapps", *command, "-o", str(picture)], check=True)
            save(picture, name)
        opened = da.open_scene(PAIR[0], PAIR[1], da.SceneParams(calibration=PAIR[3]))
        _, turned, *_ = da.turntable(da.make_model(opened.scene), TURNED_DEG, frames=4)
        da.write_image(work / "mesh.png", turned)
        save(work / "mesh.png", "mesh")


if __name__ == "__main__":
    main()
