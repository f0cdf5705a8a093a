"""Print how fast pages are in Chromium with a software GPU: frames a second while each mode is dragged, time to start.

python tests/benchmarks/page.py page.html [more.html ...]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from browser import Browser

# moves the hand 125 times a second across the picture, and counts the frames
_DRAG = """((kind, ms) => new Promise(done => {
  const { width, height } = page.stage.view, start = performance.now(), from = page.frames;
  const timer = setInterval(() => {
    const t = (performance.now() - start) / ms;
    if (kind === "lean") page.lean(2 * t - 1, Math.sin(6 * t) / 2);
    else page.drag([width * (0.3 + 0.4 * t), height * (0.4 + 0.2 * t)], 4, 1, { buttons: 1 });
    if (t < 1) return;
    clearInterval(timer);
    done([1000 * (page.frames - from) / (performance.now() - start), page.paces[page.mode.id].share]);
  }, 8);
}))"""
_WARM_MS, _MEASURED_MS = 2000, 4000


def main() -> None:
    """Measure each page that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    pages = parser.parse_args().pages
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium was found")
    with tempfile.TemporaryDirectory() as profile, Browser(chromium, Path(profile), (1280, 800)) as browser:
        for path in pages:
            for mode, kind in (("turn", "lean"), ("turn", "drag"), ("refocus", "drag"), ("relight", "drag")):
                browser.open(path.absolute(), mode)
                ready = browser.run("document.body.dataset.readyMs")
                browser.run(f"{_DRAG}('{kind}', {_WARM_MS})")  # in which the page finds its pace
                frames, share = browser.run(f"{_DRAG}('{kind}', {_MEASURED_MS})")
                print(
                    f"{path.name}  {mode} {kind}: {frames:.1f} frames/s at {share} of the pixels, ready in {ready} ms"
                )


if __name__ == "__main__":
    main()
