"""Write every format and have other programs read it: python tests/benchmarks/formats.py LEFT RIGHT [-c FILE]

Prints a row a file: its bytes, the seconds of the command that wrote it, and what another program found in it. Models
and maps are made from a depth that was found once; views from the photos themselves are matched each time. What is not
installed is named: pip install usd-core lib3mf pycolmap gsply pillow-heif OpenEXR tifffile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh
from PIL import Image

Check = Callable[[Path], str]


def by_pillow(path: Path) -> str:
    """Size, pictures and the parts of a photo that hold depth or a second view."""
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
        xmp = "" if b"http://ns.google.com/photos/" not in path.read_bytes() else ", XMP of a portrait"
        return f"Pillow: {image.size[0]}x{image.size[1]} {image.mode}, {frames} picture{'s' * (frames > 1)}{xmp}"


def by_pillow_heif(path: Path) -> str:
    """Pictures and depths in a HEIC."""
    import pillow_heif

    file = pillow_heif.open_heif(path)
    depths = len(file.info.get("depth_images", []))
    return f"pillow-heif: {len(file)} picture{'s' * (len(file) > 1)}, {depths} depth{'s' * (depths != 1)}"


def by_opencv(path: Path) -> str:
    """Frames of a video."""
    video = cv2.VideoCapture(str(path))
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames, "no frame"
    return f"OpenCV (FFmpeg): {frames} frames"


def by_trimesh(path: Path) -> str:
    """Triangles or points of a model."""
    loaded: Any = trimesh.load(path)
    shapes = list(loaded.geometry.values()) if hasattr(loaded, "geometry") else [loaded]
    faces, points = (sum(len(getattr(s, name, ())) for s in shapes) for name in ("faces", "vertices"))
    closed = ", watertight" if faces and all(getattr(s, "is_watertight", False) for s in shapes) else ""
    return f"trimesh: {faces:,} triangles, {points:,} vertices{closed}"


def by_usd(path: Path) -> str:
    """Errors of OpenUSD's validators, with those of packages and of Apple's rules among them."""
    from pxr import Usd, UsdValidation  # pyright: ignore[reportMissingImports]

    every = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    found = UsdValidation.ValidationContext(every).Validate(Usd.Stage.Open(str(path)))
    return f"usd-core: {len(found)} errors by {len(every)} validators"


def by_lib3mf(path: Path) -> str:
    """Warnings of the 3MF consortium's library."""
    import lib3mf  # pyright: ignore[reportMissingImports]

    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.ReadFromFile(str(path))
    return f"lib3mf: {reader.GetWarningCount()} warnings"


def by_pycolmap(path: Path) -> str:
    """Cameras, photos and points."""
    import pycolmap  # pyright: ignore[reportMissingImports]

    model = pycolmap.Reconstruction(str(path.parent))
    return f"pycolmap: {model.num_cameras()} cameras, {model.num_images()} photos, {model.num_points3D():,} points"


def by_gsply(path: Path) -> str:
    """Splats."""
    import gsply  # pyright: ignore[reportMissingImports]

    read = gsply.plyread(str(path)) if path.suffix == ".ply" else gsply.read_spz(str(path))
    return f"gsply: {len(read.means):,} splats"


def by_json(path: Path) -> str:
    """Points and extensions of a GLB of splats."""
    data = path.read_bytes()
    gltf = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    return f"its JSON: {gltf['accessors'][0]['count']:,} splats of {', '.join(gltf['extensionsUsed'])}"


def by_openexr(path: Path) -> str:
    """Channels of an EXR."""
    import OpenEXR

    with OpenEXR.File(str(path)) as file:
        return f"OpenEXR: channels {', '.join(file.channels())}"


def by_numpy(path: Path) -> str:
    """Arrays of an archive."""
    with np.load(path) as archive:
        return f"numpy: {', '.join(archive.files)}"


def by_tifffile(path: Path) -> str:
    """Type of a TIFF's numbers."""
    import tifffile

    values = tifffile.imread(path)
    return f"tifffile: {values.dtype} {values.shape[1]}x{values.shape[0]}"


# the command, what is read (the pair, or the photo with the depth that was found), the file, more options, who reads it
ROWS: tuple[tuple[str, str, str, str, Check], ...] = (
    ("depth", "depth", "a16.png", "--kind affine-inverse", by_pillow),
    ("depth", "depth", "a.exr", "--kind depth", by_openexr),
    ("depth", "depth", "a.npz", "--kind depth", by_numpy),
    ("depth", "depth", "a.tif", "--kind depth", by_tifffile),
    ("depth", "depth", "gdepth.jpg", "--kind portrait", by_pillow),
    ("depth", "depth", "dynamic.jpg", "--kind dynamic-depth", by_pillow),
    ("depth", "depth", "portrait.heic", "--kind portrait", by_pillow_heif),
    ("mesh", "depth", "a.glb", "", by_trimesh),
    ("mesh", "depth", "web.glb", "--preset web", by_trimesh),
    ("mesh", "depth", "web.usdz", "--preset web", by_usd),
    ("mesh", "depth", "a.obj", "--preset web", by_trimesh),
    ("mesh", "depth", "a.ply", "", by_trimesh),
    ("mesh", "depth", "relief.stl", "--preset print --relief 0.3", by_trimesh),
    ("mesh", "depth", "a.3mf", "--preset print", by_lib3mf),
    ("mesh", "photo", "plate.stl", "--preset lithophane", by_trimesh),
    ("mesh", "pair", "sparse/points3D.txt", "--points", by_pycolmap),
    ("mesh", "depth", "splats.ply", "--splats", by_gsply),
    ("mesh", "depth", "splats.spz", "--splats", by_gsply),
    ("mesh", "depth", "splats.glb", "--splats", by_json),
    ("view3d", "pair", "side_by_side.jpg", "", by_pillow),
    *(
        ("view3d", "pair", f"{style}.jpg", f"--style {style}", by_pillow)
        for style in (
            "half-side-by-side",
            "top-bottom",
            "half-top-bottom",
            "cross-eyed",
            "anaglyph",
            "anaglyph-optimized",
            "anaglyph-grey",
            "green-magenta",
            "interlaced",
            "rgbd",
            "quilt",
        )
    ),
    ("view3d", "pair", "a.mpo", "", by_pillow),
    ("view3d", "pair", "spatial.heic", "", by_pillow_heif),
    ("view3d", "pair", "wiggle.gif", "", by_pillow),
    ("view3d", "pair", "wiggle.webp", "", by_pillow),
    ("view3d", "pair", "wiggle.mp4", "", by_opencv),
    ("view3d", "pair", "loop.mp4", "--views 12", by_opencv),
    ("view3d", "pair", "orbit.mp4", "--motion orbit", by_opencv),
    ("view3d", "pair", "dolly.mp4", "--motion dolly-zoom", by_opencv),
)


def run(*arguments: object) -> float:
    """Run a command of depthapps; returns the seconds it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "depthapps", *map(str, arguments), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return time.perf_counter() - start


def main() -> None:
    """Write, read back and print every format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("-c", "--calibration", type=Path)
    parser.add_argument("--quality", default="balanced")
    given = parser.parse_args()
    camera = ("-c", given.calibration) if given.calibration else ()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "sparse").mkdir()
        pair = (given.left, given.right, *camera, "--quality", given.quality)
        seconds = run("depth", *pair, "--kind", "depth", "-o", folder / "depth.npz")
        print(f"depth found in {seconds:.1f} s at {given.quality}")
        sources = {"pair": pair, "depth": (given.left, "--depth", folder / "depth.npz"), "photo": (given.left,)}
        for command, source, name, options, check in ROWS:
            path = folder / name
            seconds = run(command, *sources[source], *options.split(), "-o", path)
            try:
                found = check(path)
            except ImportError as error:
                found = f"not read: {error.name} is not installed"
            print(f"| `{name}` | {command} {options} | {path.stat().st_size / 1e6:.2f} | {seconds:.1f} | {found} |")


if __name__ == "__main__":
    main()
