"""Make the README's pictures from the sample pair with depthapps itself.

Run it with::

    pip install .
    python samples/pictures.py

It writes samples/pictures/*.jpg in about half a minute. The view of the mesh is a screenshot of its page, for
which a Chromium has to be on the PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

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
MESH_VIEW = "turn=16,9"  # degrees to the right and from above


def screenshot(page: Path, view: str, output: Path) -> None:
    """Open a page in headless Chromium and save what it shows."""
    chromium = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if chromium is None:
        sys.exit("the view of the mesh needs a Chromium on the PATH")
    flags = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    flags += [f"--window-size={WIDTH},{WIDTH * 2 // 3}", "--virtual-time-budget=10000", "--hide-scrollbars"]
    flags += ["--disable-background-networking", f"--user-data-dir={page.parent / 'profile'}"]
    url = f"{page.as_uri()}#{view}"
    subprocess.run([chromium, *flags, f"--screenshot={output}", url], check=True, capture_output=True, timeout=120)


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
        page = work / "mesh.html"
        subprocess.run([sys.executable, "-m", "depthapps", "mesh", *PAIR, "--viewer", str(page)], check=True)
        screenshot(page, MESH_VIEW, work / "mesh.png")
        save(work / "mesh.png", "mesh")


if __name__ == "__main__":
    main()
