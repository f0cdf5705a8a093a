"""Small valid files of every format that is read, ways to damage them, and readers to give them to."""

from __future__ import annotations

import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import photo_files as photos
from PIL import Image as Pillow
from PIL import ImageCms

WIDTH, HEIGHT = 48, 36
_RANDOM = np.random.default_rng(5)
PICTURE = np.asarray(cv2.GaussianBlur(_RANDOM.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 1.0))
DEPTH = np.linspace(1, 3, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
K = np.array([[100.0, 0, 23.5], [0, 100, 17.5], [0, 0, 1]])
_POSE = "1 0 0 0.1\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"


@dataclass(frozen=True)
class Seed:
    """A valid file: what reads it, the suffix of its name, its content, and whether that is text."""

    reader: str
    suffix: str
    data: bytes
    text: bool = False


def seeds() -> dict[str, Seed]:
    """Valid files by names of their own. What needs an extra that is not installed is left out."""
    found = {f"picture {k}": Seed("picture", v[0], v[1]) for k, v in (_pictures() | _photos()).items()}
    found |= {f"map {k}": Seed("map", v[0], v[1]) for k, v in _maps().items()}
    found |= {f"calibration {k}": Seed("calibration", v[0], v[1], v[0] != ".npz") for k, v in _calibrations().items()}
    found |= {f"sequence {k}": Seed(f"sequence {k}", ".txt", v, text=True) for k, v in _sequences().items()}
    lights = [{"azimuth": 30, "elevation": 20.5}, {"light": "spot", "position": [0, 0, 1], "target": [0, 0, 2]}]
    found |= {f"film {v[0]}": Seed("film", v[0], v[1]) for v in _films()}
    rows = [{"left": "a/l.png", "right": "a/r.png", "f-number": 2, "squeezed": True}, {"image": "b.jpg", "name": "c"}]
    table = b'left,right,name,focus\na/l.png,a/r.png,one,"1,2"\nb/l.png,b/r.png,,auto\n'
    found["manifest csv"] = Seed("manifest", ".csv", table, text=True)
    found["manifest jsonl"] = Seed("manifest", ".jsonl", "\n".join(map(json.dumps, rows)).encode(), text=True)
    found["lights"] = Seed("lights", ".json", json.dumps(lights).encode(), text=True)
    network = {"inputs": ["left", "right"], "mean": [1, 2, 3], "std": [1.5], "size": [64, 32], "fit": "stretch"}
    found["network"] = Seed("network", ".json", json.dumps(network).encode(), text=True)
    return found


def _saved(kind: str, picture: Pillow.Image, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def animation(kind: str) -> bytes:
    """Two pictures in one file."""
    picture = Pillow.fromarray(PICTURE)
    return _saved(kind.upper(), picture, save_all=True, append_images=[picture.rotate(180)])


def _pictures() -> dict[str, tuple[str, bytes]]:
    rgb = Pillow.fromarray(PICTURE)
    deep, real = PICTURE.astype(np.uint16) * 257, PICTURE.astype(np.float32) / 255
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    return {
        "png": (".png", _saved("PNG", rgb)),
        "png palette": (".png", _saved("PNG", rgb.quantize(16), transparency=3)),
        "png bit": (".png", _saved("PNG", rgb.convert("1"))),
        "png alpha": (".png", _saved("PNG", rgb.convert("RGBA"), exif=exif)),
        "png 16": (".png", photos.encoded(deep, ".png")),
        "jpeg": (".jpg", _saved("JPEG", rgb, exif=exif)),
        "jpeg progressive": (".jpg", _saved("JPEG", rgb, progressive=True, optimize=True)),
        "jpeg grey": (".jpg", _saved("JPEG", rgb.convert("L"))),
        "jpeg cmyk": (".jpg", _saved("JPEG", rgb.convert("CMYK"))),
        "jpeg profile": (
            ".jpg",
            _saved(
                "JPEG",
                rgb,
                icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
                exif=_nested_exif(),
            ),
        ),
        "tiff": (".tif", _saved("TIFF", rgb)),
        "tiff big": (".tif", _saved("TIFF", rgb, big_tiff=True)),
        "tiff deflate": (".tif", _saved("TIFF", rgb, compression="tiff_adobe_deflate", tiffinfo={317: 2})),
        "tiff jpeg": (".tif", _saved("TIFF", rgb, compression="jpeg")),
        "tiff bit": (".tif", _saved("TIFF", rgb.convert("1"), compression="group4")),
        "tiff palette": (".tif", _saved("TIFF", rgb.quantize(16))),
        "tiff cmyk": (".tif", _saved("TIFF", rgb.convert("CMYK"))),
        "tiff pages": (".tif", _saved("TIFF", rgb, save_all=True, append_images=[rgb.rotate(180)])),
        "tiff lzw": (".tif", _saved("TIFF", rgb, compression="tiff_lzw")),
        "tiff float": (".tif", photos.encoded(real, ".tif")),
        "tiff 16": (".tif", photos.encoded(deep, ".tif")),
        "webp": (".webp", _saved("WEBP", rgb)),
        "webp alpha": (".webp", _saved("WEBP", rgb.convert("RGBA"), lossless=True)),
        "bmp": (".bmp", _saved("BMP", rgb)),
        "tga": (".tga", _saved("TGA", rgb, compression="tga_rle")),
        "pcx": (".pcx", _saved("PCX", rgb)),
        "qoi": (".qoi", _saved("QOI", rgb)),
        "dds": (".dds", _saved("DDS", rgb)),
        "gif": (".gif", _saved("GIF", rgb)),
        "avif": (".avif", _saved("AVIF", rgb)),
        "hdr": (".hdr", photos.encoded(real, ".hdr")),
        "ppm": (".ppm", photos.encoded(PICTURE, ".ppm")),
        "pam": (".pam", photos.encoded(PICTURE, ".pam")),
        "jp2": (".jp2", photos.encoded(PICTURE, ".jp2")),
    } | _tiles()


def _nested_exif() -> Pillow.Exif:
    """EXIF with directories below the first one, and a picture's place."""
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 3, "maker", "model"
    exif.get_ifd(0x8769).update({0x829D: 2.8, 0x920A: 4.2, 0xA405: 26, 0x9206: 1.5, 0x927C: b"Apple iOS\0" * 9})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 1.0)})
    return exif


def _tiles() -> dict[str, tuple[str, bytes]]:
    """TIFF files whose samples lie in tiles, and of five bands."""
    try:
        import tifffile  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}
    tiles, bands = BytesIO(), BytesIO()
    tifffile.imwrite(tiles, PICTURE, tile=(32, 32), photometric="rgb")
    tifffile.imwrite(bands, np.dstack([PICTURE, PICTURE[..., :2]]), photometric="minisblack")
    return {"tiff tiles": (".tif", tiles.getvalue()), "tiff bands": (".tif", bands.getvalue())}


def _photos() -> dict[str, tuple[str, bytes]]:
    jpeg = photos.encoded(PICTURE)
    grey = photos.encoded(PICTURE[..., 0], ".png")
    shape = b"\1\0\xff\xff" + struct.pack("<II", WIDTH, HEIGHT)
    meta = {"views": [{"position": {"x": k}, "image": {"blob_id": k - 1}} for k in range(2)], "baseline_mm": 60}
    found = {
        "mpo": (".mpo", photos.multi_picture([jpeg, jpeg], [1, 2])),
        "jps": (".jps", photos.jps_file(jpeg)),
        "lif": (".jpg", photos.lif_file(jpeg, {0: jpeg}, meta)),
        "gdepth": (".jpg", photos.gdepth_jpeg(jpeg, grey, Format="RangeInverse", Near="1", Far="5", Units="m")),
        "dynamic depth": (".jpg", photos.dynamic_depth_jpeg(jpeg, {"android/depthmap": grey}, Near="1", Far="5")),
        "container": (".jpg", photos.container_jpeg(jpeg, {"Depth": photos.encoded(PICTURE[..., 0])})),
        "samsung": (
            ".jpg",
            photos.samsung_file(jpeg, {"DualShot_DepthMap_1": bytes(WIDTH * HEIGHT), "DualShot_Extra_Info": shape}),
        ),
        "huawei": (".jpg", photos.huawei_file([jpeg, jpeg], WIDTH, HEIGHT, bytes(range(256)) * 7)),
        "vr": (".vr.jpg", photos.vr_file(jpeg, jpeg)),
        "mediatek": (".jpg", photos.mediatek_file(jpeg, WIDTH, HEIGHT, bytes(WIDTH * HEIGHT))),
    }
    with suppress(ImportError):
        found["heic"] = (".heic", photos.heif_file([photos.HeifItem(PICTURE)]))
        both = [photos.HeifItem(PICTURE), photos.HeifItem(np.roll(PICTURE, 2, axis=1))]
        found["heic spatial"] = (".heic", photos.heif_file(both, stereo=(0, 1)))
    return found


def _maps() -> dict[str, tuple[str, bytes]]:
    npy, npz, pfm = BytesIO(), BytesIO(), f"Pf\n{WIDTH} {HEIGHT}\n-1\n".encode() + DEPTH.tobytes()
    old, wide, plain = BytesIO(), BytesIO(), BytesIO()
    np.save(npy, DEPTH)
    np.save(old, np.asfortranarray(DEPTH.astype(">f8")))
    np.savez(plain, depth=DEPTH, name=np.array("a"), pose=np.eye(4))
    with zipfile.ZipFile(wide, "w") as zipped, zipped.open("depth.npy", "w", force_zip64=True) as member:
        member.write(npy.getvalue())
    np.savez_compressed(npz, depth=DEPTH, K=K, confidence=DEPTH)
    found = {
        "npy": (".npy", npy.getvalue()),
        "npy old": (".npy", old.getvalue()),
        "npz": (".npz", npz.getvalue()),
        "npz plain": (".npz", plain.getvalue()),
        "npz 64": (".npz", wide.getvalue()),
        "csv": (".csv", "\n".join(",".join(f"{v:.3f}" for v in row) for row in DEPTH).encode()),
        "colmap": (".bin", f"{WIDTH}&{HEIGHT}&1&".encode() + DEPTH.tobytes()),
        "pfm comment": (".pfm", f"Pf\n# a b\n{WIDTH} {HEIGHT}\n1.5e3\n".encode() + DEPTH.astype(">f4").tobytes()),
        "pfm": (".pfm", pfm),
        "dpt": (".dpt", b"PIEH" + struct.pack("<ii", WIDTH, HEIGHT) + DEPTH.tobytes()),
        "png": (".png", photos.encoded((DEPTH * 1000).astype(np.uint16), ".png")),
        "tiff": (".tif", photos.encoded(DEPTH, ".tif")),
        "pgm": (".pgm", photos.encoded((DEPTH * 1000).astype(np.uint16), ".pgm")),
    }
    try:
        import h5py  # pyright: ignore[reportMissingImports]
        import scipy.io  # pyright: ignore[reportMissingImports]

        hdf, mat = BytesIO(), BytesIO()
        with h5py.File(hdf, "w") as file:
            file.create_dataset("depth", data=DEPTH, compression="gzip")
        scipy.io.savemat(mat, {"depth": DEPTH, "K": K}, do_compression=True)
        found |= {"hdf5": (".h5", hdf.getvalue()), "mat": (".mat", mat.getvalue())}
    except ImportError:
        pass
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.exr"
            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
            OpenEXR.File(header, {"Z": DEPTH}).write(str(path))
            found["exr"] = (".exr", path.read_bytes())
    except ImportError:
        pass
    return found


def _films() -> list[tuple[str, bytes]]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, codec in (
            (".mp4", "mp4v"),
            (".avi", "MJPG"),
            (".mkv", "FFV1"),
            (".webm", "VP80"),
            (".mov", "MJPG"),
        ):
            path = Path(folder) / f"a{suffix}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (WIDTH, HEIGHT))
            for k in range(3):
                writer.write(np.roll(PICTURE, k, axis=1))
            writer.release()
            found.append((suffix, path.read_bytes()))
    return found


def _calibrations() -> dict[str, tuple[str, bytes]]:
    def storage(suffix: str) -> bytes:
        file = cv2.FileStorage(f"a{suffix}", cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
        file.write("image_width", WIDTH)
        file.write("image_height", HEIGHT)
        for name, value in {"K1": K, "D1": np.zeros((1, 5)), "K2": K, "D2": np.zeros((1, 5)), "R": np.eye(3),
                            "T": np.array([[-0.1], [0], [0]])}.items():  # fmt: skip
            file.write(name, value)
        return file.releaseAndGetString().encode()

    npz = BytesIO()
    np.savez(npz, K1=K, D1=np.zeros(5), K2=K, D2=np.zeros(5), R=np.eye(3), T=np.array([-0.1, 0, 0]))
    matrix = BytesIO()
    np.save(matrix, K)
    row = "100 0 23.5 0 0 100 17.5 0 0 0 1 0"
    return {
        "yml": (".yml", storage(".yml")),
        "xml": (".xml", storage(".xml")),
        "json": (".json", storage(".json")),
        "npz": (".npz", npz.getvalue()),
        "K": (".txt", b"100 0 23.5 0 100 17.5 0 0 1\n0.1 # baseline\n"),
        "kitti": (".txt", f"P2: {row}\nP3: {row.replace('23.5 0 ', '23.5 -10 ')}\n".encode()),
        "middlebury": (".txt", b"cam0=[100 0 23.5; 0 100 17.5; 0 0 1]\ncam1=[100 0 23.5; 0 100 17.5; 0 0 1]\n"
                               b"doffs=0\nbaseline=100\nwidth=48\nheight=36\nndisp=20\n"),
        "ini": (".conf", b"[left]\nfx=100\nfy=100\ncx=23.5\ncy=17.5\nk1=0.01\n[right]\nfx=100\nfy=100\n"
                         b"cx=23.5\ncy=17.5\nk1=0.01\n[stereo]\nbaseline_mm=63\n"),
        "kalibr": (".yaml", b"cam0:\n  camera_model: pinhole\n  intrinsics: [100, 100, 23.5, 17.5]\n"
                            b"  distortion_coeffs: [0.1, 0.01, 0, 0]\n  distortion_model: radtan\n"
                            b"  resolution: [48, 36]\ncam1:\n  T_cn_cnm1:\n  - [1, 0, 0, -0.1]\n  - [0, 1, 0, 0]\n"
                            b"  - [0, 0, 1, 0]\n  - [0, 0, 0, 1]\n  intrinsics: [100, 100, 23.5, 17.5]\n"
                            b"  distortion_coeffs: [0.1, 0.01, 0, 0]\n  resolution: [48, 36]\n"),
        "colmap": (".txt", b"1 SIMPLE_RADIAL 48 36 100 23.5 17.5 0.01\n"),
        "ros": (".yaml", b"image_width: 48\nimage_height: 36\ncamera_name: left\ncamera_matrix:\n  rows: 3\n"
                         b"  cols: 3\n  data: [100, 0, 23.5, 0, 100, 17.5, 0, 0, 1]\n"
                         b"distortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  cols: 5\n"
                         b"  data: [0.1, 0.01, 0, 0, 0]\nprojection_matrix:\n  rows: 3\n  cols: 4\n"
                         b"  data: [100, 0, 23.5, -10, 0, 100, 17.5, 0, 0, 0, 1, 0]\n"),
        "table": (".csv", b"camera,fx,fy,cx,cy,x,y,z\nleft,100,100,23.5,17.5,0,0,0\nright,100,100,23.5,17.5,0.1,0,0\n"),
        "npy": (".npy", matrix.getvalue()),
    }  # fmt: skip


def _sequences() -> dict[str, bytes]:
    return {
        "camera-intrinsics.txt": b"100 0 23.5\n0 100 17.5\n0 0 1\n",
        "frame-000000.pose.txt": _POSE.encode(),
        "rgb.txt": b"# colour\n1.0 0.png\n2.0 0.png\n",
        "depth.txt": b"1.01 0.depth.png\n2.01 0.depth.png\n",
        "groundtruth.txt": b"1.0 0 0 0 0 0 0 1\n2.0 0.1 0.2 0.3 0 0 0.7 0.7\n",
        "camera_intrinsic.json": json.dumps({"intrinsic_matrix": K.T.ravel().tolist()}).encode(),
        "trajectory.log": f"0 0 1\n{_POSE}1 1 2\n{_POSE}".encode(),
    }


# ------------------------------------------------------------------------------------------------ damage

_WORDS = (b"nan", b"inf", b"-inf", b"1e999", b"1e308", b"1e-308", b"0", b"-1", b"1e-9", b"60000", b"1" * 5000, b"",
          b"[" * 500, b"{" * 500, b"<a>" * 500, b"null", b"true", b'"x"', b"\xff", b"\0", b"&a;", b"*a",
          b"!!python/x 1",
          b"1" * 40 + b"x", b"2147483648", b"99999999999999999999", b"1111111111 " * 12 + b"x", b" #" * 40,
          b" " * 60_000, b"\n" * 60_000, b"a" * 60_000, b"1" * 60_000 + b"x", b"(cam" * 15_000, 
          b"[1]" * 20_000)  # fmt: skip
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 60000, 1 << 20)


def mutated(seed: Seed, rng: np.random.Generator) -> bytes:
    """The content of a seed with one to four kinds of damage, mostly one, reproducibly by the random generator."""
    data = bytearray(seed.data)
    if not seed.text and seed.data.startswith(b"PK") and rng.random() < 0.7:
        return _zip_with(seed, rng)
    for _ in range(min(int(rng.geometric(0.6)), 4)):
        if seed.text and rng.random() < 0.7:
            data = bytearray(_with_word(bytes(data), rng))
        else:
            _DAMAGES[int(rng.integers(len(_DAMAGES)))](data, rng)
    if seed.data.startswith(b"\x89PNG") and rng.random() < 0.6:
        return _with_checksums(bytes(data))
    return bytes(data)


def _at(data: bytearray, rng: np.random.Generator) -> int:
    """A place in the data, more often near its start, where headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 200)
    return int(rng.integers(0, max(end, 1)))


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    if data:
        data[_at(data, rng)] ^= 1 << int(rng.integers(8))


def _number(data: bytearray, rng: np.random.Generator) -> None:
    at, size = _at(data, rng), int(rng.choice([1, 2, 4, 8]))
    number = int(rng.choice(_NUMBERS)) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, "little" if rng.random() < 0.5 else "big")


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[_at(data, rng) :]


def _drop(data: bytearray, rng: np.random.Generator) -> None:
    at = _at(data, rng)
    del data[at : at + int(rng.integers(1, 40))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    at = _at(data, rng)
    data[at:at] = data[at : at + int(rng.integers(1, 300))] * int(rng.integers(1, 20))


def _many(data: bytearray, rng: np.random.Generator) -> None:
    """So many copies of a few bytes that what takes time by their square takes longer than anybody waits."""
    at = _at(data, rng)
    few = bytes(data[at : at + int(rng.integers(1, 12))]) or b"a"
    data[at:at] = few * (100_000 // len(few))


def _swap(data: bytearray, rng: np.random.Generator) -> None:
    one, two, size = _at(data, rng), _at(data, rng), int(rng.integers(1, 64))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


def _noise(data: bytearray, rng: np.random.Generator) -> None:
    at = _at(data, rng)
    data[at : at + 16] = rng.bytes(int(rng.integers(1, 17)))


_DAMAGES: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    _flip, _flip, _number, _number, _cut, _drop, _repeat, _many, _swap, _noise
)  # fmt: skip


def _with_word(data: bytes, rng: np.random.Generator) -> bytes:
    """A text with one of its words or numbers replaced."""
    words = list(re.finditer(rb"[-+.\w]+", data))
    if not words:
        return data
    word = words[int(rng.integers(len(words)))]
    return data[: word.start()] + _WORDS[int(rng.integers(len(_WORDS)))] + data[word.end() :]


def _with_checksums(png: bytes) -> bytes:
    """A PNG whose chunks agree with their checksums again, so that decoders see what is in them."""
    found, at = bytearray(png[:8]), 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        if end + 4 > len(png):
            break
        found += png[at:end] + struct.pack(">I", zlib.crc32(png[at + 4 : end]))
        at = end + 4
    return bytes(found) + png[at:]


def _zip_with(seed: Seed, rng: np.random.Generator) -> bytes:
    """An archive of which one member is damaged and packed again."""
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(seed.data)) as source, zipfile.ZipFile(packed, "w") as target:
        names = source.namelist()
        which = int(rng.integers(len(names)))
        for k, name in enumerate(names):
            content = source.read(name)
            inner = Seed(seed.reader, ".npy", content, text=rng.random() < 0.4)
            target.writestr(name, mutated(inner, rng) if k == which else content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


# ------------------------------------------------------------------------------------------------ readers


def read(reader: str, path: Path) -> None:
    """Read a file as a command would, and use what was read as far as that is quick. Raises what the readers raise."""
    kind, _, name = reader.partition(" ")
    _READERS[kind](path, name)


def _read_picture(path: Path, _: str) -> None:
    from depthapps import Photo, Scene, read_photo
    from depthapps.core.camera import Camera
    from depthapps.core.errors import DepthappsError
    from depthapps.io.photos.contents import read_contents
    from depthapps.io.photos.describe import describe_contents
    from depthapps.io.photos.suspect import may_show_twice

    refused = None
    for attempt in (describe_contents, read_contents, read_photo, lambda p: may_show_twice(p.read_bytes())):
        try:
            found = attempt(path)
        except DepthappsError as error:
            refused = error
            continue
        if isinstance(found, Photo):
            height, width = found.image.shape[:2]
            Scene(found.image, np.ones((height, width), np.float32), Camera.centred(width, height, 50.0))
    if refused:
        raise refused


def _read_map(path: Path, _: str) -> None:
    from depthapps.core.choices import DepthKind
    from depthapps.core.errors import DepthappsError
    from depthapps.io.maps.meaning import Meaning, depth_of, disparity_of
    from depthapps.io.maps.raw import read_raw

    raw = read_raw(path, "depth map")
    for kind in (DepthKind.METRIC, DepthKind.AFFINE_INVERSE, DepthKind.INVERSE, DepthKind.AFFINE):
        try:
            depth_of(raw, Meaning(kind, near_m=1.0, far_m=9.0) if kind is DepthKind.AFFINE else Meaning(kind))
        except DepthappsError:
            continue
    disparity_of(raw, 2.0)


def _read_calibration(path: Path, _: str) -> None:
    from depthapps import read_calibration
    from depthapps.core.camera import Calibration
    from depthapps.engine.rectify.rectification import rectify_rig

    file = read_calibration(path).fitting(WIDTH, HEIGHT)
    camera = file.camera(WIDTH, HEIGHT)
    Calibration(camera, file.baseline_m or 0.1, file.doffs_px or 0.0)
    rig = file.rig(WIDTH, HEIGHT)
    if rig is not None:
        rectify_rig(rig)


def _read_sequence(path: Path, name: str) -> None:
    from depthapps.io.sequences import read_sequence

    folder = path.parent / f"{path.stem}-folder"
    folder.mkdir()
    tum = name in ("rgb.txt", "depth.txt", "groundtruth.txt")
    for other, data in _sequences().items():
        if tum == (other in ("rgb.txt", "depth.txt", "groundtruth.txt")):
            (folder / other).write_bytes(data)
    if "o" in name and name.split(".")[0] in ("camera_intrinsic", "trajectory"):
        for sub, suffix in (("color", ".jpg"), ("depth", ".png")):
            (folder / sub).mkdir()
            for k in range(2):
                (folder / sub / f"{k}{suffix}").write_bytes(b"")
    elif not tum:
        for suffix in (".color.png", ".depth.png"):
            (folder / f"frame-000000{suffix}").write_bytes(b"")
    (folder / name).write_bytes(path.read_bytes())
    read_sequence(folder).camera(WIDTH, HEIGHT)


def _read_film(path: Path, _: str) -> None:
    from depthapps.io.film import read_film

    for _frame in islice(read_film(path).frames, 100):
        pass


def _read_manifest(path: Path, _: str) -> None:
    from depthapps.apps.batch.jobs import CommandKind, plan, sources_of
    from depthapps.io.manifest import read_manifest

    flags = {name: (f"--{name}", name != "squeezed") for name in ("focus", "f-number", "squeezed")}
    kind = CommandKind("bokeh", frozenset(), frozenset({"--output"}))
    plan(kind, sources_of(read_manifest(path), flags), {"--output": (".png",)}, path.parent)


def _read_lights(path: Path, _: str) -> None:
    from depthapps.cli.lights import LightOptions
    from depthapps.io.lights import read_lights

    for number, entry in enumerate(read_lights(path), 1):
        LightOptions.from_entry(entry, number).lit_by()


def _read_network(path: Path, _: str) -> None:
    from depthapps import NetworkDescription
    from depthapps.io.network import read_network

    path.with_suffix(".onnx").write_bytes(b"")
    NetworkDescription.from_json(read_network(path.with_suffix(".onnx"))[1])


_READERS: dict[str, Callable[[Path, str], None]] = {
    "picture": _read_picture,
    "map": _read_map,
    "calibration": _read_calibration,
    "sequence": _read_sequence,
    "film": _read_film,
    "manifest": _read_manifest,
    "lights": _read_lights,
    "network": _read_network,
}
