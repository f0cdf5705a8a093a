"""No foreign words on stderr: what libpng, libjpeg, libtiff and OpenCV print never reaches the user."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import zlib
from io import BytesIO

import numpy as np
import pytest
from conftest import SAMPLES
from photo_files import encoded, with_segments
from PIL import Image as Pillow

from depthapps.runtime.quiet import silent_libraries

PICTURE = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8)


def chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    crc = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def with_chunk(png: bytes, added: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + added + png[33:]


def bad_files() -> dict[str, bytes]:
    """Files about which decoders have something to say; some can be read, and some cannot."""
    png, jpeg = encoded(PICTURE, ".png"), encoded(PICTURE)
    file = BytesIO()
    Pillow.fromarray(PICTURE).quantize(16).save(file, "PNG")
    rows = b"".join(b"\0" + row.tobytes() for row in PICTURE)
    middle = jpeg.index(b"\xff\xda") + 400
    tiff = encoded(PICTURE, ".tif", tiffinfo={65000: "a tag of one's own"})
    big = encoded(PICTURE, ".tif", big_tiff=True)
    return {
        "profile.png": with_chunk(png, chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile" * 30))),
        "checksum.png": with_chunk(png, chunk(b"tEXt", b"a\0b", 1)),
        "exif.png": with_chunk(png, chunk(b"eXIf", b"no exif")),
        "palette.png": with_chunk(file.getvalue(), chunk(b"tRNS", b"\0" * 300)),
        "unknown.png": with_chunk(png, chunk(b"ABCD", b"\0")),
        "samples.png": png[:33] + chunk(b"IDAT", zlib.compress(rows[:999])) + chunk(b"IEND", b""),
        "cut.png": png[: len(png) // 2],
        "extra.jpg": jpeg[:-2] + b"\x12" * 20 + jpeg[-2:],
        "half.jpg": jpeg[:middle] + b"\xff\xd9",
        "exif.jpg": with_segments(jpeg, (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\xff\xff\xff\xff")),
        "jfif.jpg": jpeg.replace(b"JFIF\0\1", b"JFIF\0\7", 1),
        "tag.tif": tiff,
        "bands.tif": big.replace(struct.pack("<HHQH", 277, 3, 1, 3), struct.pack("<HHQH", 277, 3, 1, 36355)),
        "cut.tif": tiff[: len(tiff) // 2],
    }


def test_decoders_say_nothing(tmp_path):
    for name, data in bad_files().items():
        (tmp_path / name).write_bytes(data)
    program = (
        "import sys\nfrom pathlib import Path\nfrom depthapps import InputError\n"
        "from depthapps.io.photos.contents import read_contents\n"
        "from depthapps.io.photos.describe import describe_contents\n"
        "from depthapps.io.photos.suspect import may_show_twice\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    for read in (describe_contents, read_contents, lambda path: may_show_twice(path.read_bytes())):\n"
        "        try:\n            read(path)\n        except InputError:\n            print(path.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert {"samples.png", "cut.png", "cut.tif"} <= set(done.stdout.split()) <= {*bad_files()}


@pytest.mark.parametrize("name", ["profile.png", "extra.jpg", "samples.png"])
def test_a_command_says_only_its_own_words(tmp_path, name):
    (tmp_path / name).write_bytes(bad_files()[name])
    command = [sys.executable, "-m", "depthapps", "bokeh", tmp_path / name, "--depth", tmp_path / "depth.npy", "-o",
               tmp_path / "out.png", "--focus-depth", "1"]  # fmt: skip
    np.save(tmp_path / "depth.npy", np.ones(PICTURE.shape[:2], np.float32))
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True)
    own = ("note: ", "wrote ", "  ") if done.returncode == 0 else ("error: ", "hint: ")
    assert all(line.startswith(own) for line in done.stderr.splitlines()), done.stderr
    assert (done.returncode == 0) == (name != "samples.png")


def test_stderr_comes_back_when_the_last_thread_leaves(capfd):
    inside, go = threading.Barrier(3), threading.Event()

    def decode(last: bool) -> None:
        with silent_libraries():
            inside.wait(10)
            os.write(2, b"libpng warning")
            if last:
                go.wait(10)
                os.write(2, b"libpng error")

    threads = [threading.Thread(target=decode, args=(last,)) for last in (False, True)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    threads[0].join()
    go.set()
    threads[1].join()
    os.write(2, b"own words")
    assert capfd.readouterr().err == "own words"


def test_a_program_without_stderr_goes_on():
    shape = f"print(read_image({str(SAMPLES / 'left.png')!r}).shape)"
    program = f"import os\nos.close(2)\nfrom depthapps import read_image\n{shape}"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "(672, 1008, 3)"
