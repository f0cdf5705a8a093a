"""PNG files: what stands in them beside their samples."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from depthapps.io.photos import png
from depthapps.io.photos.metadata import read_metadata


def saved(**options) -> bytes:
    out = BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(out, "PNG", **options)
    return out.getvalue()


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "Maker", 6
    return tags.tobytes()


def texts() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", "by hand")
    return info


def test_a_file_is_whole_until_a_byte_changes_or_its_end_is_missing():
    data = saved()
    assert png.is_whole(data)
    at = data.find(b"IDAT") + 6
    assert not png.is_whole(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert not any(png.is_whole(data[:end]) for end in range(len(png.SIGNATURE), len(data)))


def test_animations_are_told():
    frames = [Image.new("RGB", (4, 4), (k, 0, 0)) for k in (0, 200)]
    out = BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    assert png.is_animation(out.getvalue())
    assert not png.is_animation(saved())


@pytest.mark.parametrize("options", [{"exif": exif()}, {"icc_profile": b"x" * 200}, {"pnginfo": texts()}])
def test_what_describes_a_photo_is_seen(options):
    assert png.is_described(saved(**options))
    assert not png.is_described(saved())


def test_exif_behind_the_samples_is_read():
    data = saved(exif=exif())
    at = data.find(b"eXIf") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    chunk, end = data[at : at + length], len(data) - 12
    moved = data[:at] + data[at + length : end] + chunk + data[end:]
    assert read_metadata(moved) == read_metadata(data)
    assert read_metadata(moved).orientation == 6
