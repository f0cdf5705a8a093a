"""Tell what a photo's file holds without decoding a sample, so that a command can refuse it at once.

Nothing here needs numpy or OpenCV, which take longer to load than this takes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from depthapps.core.errors import InputError
from depthapps.io.inputs import StrPath, parsing, read_bytes
from depthapps.io.photos.heif_file import depth_picture, is_heif, open_heif, primary, stereo_group
from depthapps.io.photos.jpeg import SIGNATURE, xmp_packets
from depthapps.io.photos.metadata import read_metadata, stored_size
from depthapps.io.photos.pairs import EncodedViews, appended_view, encoded_views
from depthapps.io.photos.parts import EncodedDepth, encoded_depth
from depthapps.io.photos.whole import check_netpbm, check_whole
from depthapps.io.photos.xmp import Xmp

_TURNED_FROM = 5  # EXIF orientations 5 to 8 exchange width and height


@dataclass(frozen=True)
class ContentsSummary:
    """What a photo's file holds beside its picture, and how large that is.

    Attributes
    ----------
    has_second_view : bool
        The file holds a left and a right view.
    has_depth : bool
        The file holds the depth of its picture, or announces it.
    width, height : int
        Size of the upright picture in pixels.
    """

    has_second_view: bool
    has_depth: bool
    width: int
    height: int


def describe_contents(path: StrPath) -> ContentsSummary:
    """Tell what a photo's file holds, from its headers alone.

    Parameters
    ----------
    path : str or PathLike
        As for `read_contents`.

    Returns
    -------
    ContentsSummary
        Whether there is a second view or depth, and the size of the picture.

    Raises
    ------
    InputError
        The file is not there, not a picture, truncated, damaged, or an animation.
    MissingExtraError
        The file is HEIC and pillow-heif is not installed.

    Notes
    -----
    The file is read, but only the headers are parsed. The few kinds of pictures that OpenCV decodes and Pillow does not
    know are decoded for their size.
    """
    data, path = read_bytes(path, "image"), Path(path)
    with parsing(path, "image"):
        if is_heif(path, data):
            file = open_heif(path, data)
            pair = stereo_group(file) is not None
            return ContentsSummary(pair, not pair and depth_picture(file) is not None, *primary(file).size)
        check_whole(data, str(path))
        views, depth = views_or_depth(data, path.suffix)
        width, height = stored_size(views.pictures[0] if views else data) or _decoded_size(data, str(path))
        if read_metadata(data).orientation >= _TURNED_FROM:
            width, height = height, width
        return ContentsSummary(views is not None, depth is not None, width, height)


def picture_size(path: StrPath) -> tuple[int, int] | None:
    """Width and height in pixels of a picture as its header states them; None where it does not, or is damaged."""
    data, path = read_bytes(path, "image"), Path(path)
    with suppress(InputError), parsing(path, "image"):
        check_netpbm(data, str(path))
        return primary(open_heif(path, data)).size if is_heif(path, data) else stored_size(data)
    return None


def views_or_depth(data: bytes, suffix: str) -> tuple[EncodedViews | None, EncodedDepth | None]:
    """The two views in a file whose name has this suffix, or its depth, both encoded; neither for other files."""
    is_jpeg = data.startswith(SIGNATURE)
    xmp = Xmp(xmp_packets(data) if is_jpeg else [])
    views = encoded_views(data, suffix, xmp)
    depth = encoded_depth(data, xmp) if is_jpeg and views is None else None
    return views if views or depth else appended_view(data, xmp), depth


def _decoded_size(data: bytes, name: str) -> tuple[int, int]:
    from depthapps.io.photos.decode import decode_image

    height, width = decode_image(data, name).shape[:2]
    return width, height
