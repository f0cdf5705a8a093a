"""Tell what a photo's file holds without decoding a sample, so that a command can refuse it at once.

Nothing here needs numpy or OpenCV, which take longer to load than this takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depthapps.io.inputs import StrPath, read_bytes
from depthapps.io.photos.heif_file import depth_picture, is_heif, open_heif, primary, stereo_group
from depthapps.io.photos.jpeg import SIGNATURE, MultiPicture
from depthapps.io.photos.metadata import read_metadata, stored_size
from depthapps.io.photos.parts import EncodedDepth, encoded_depth, stereo_pictures
from depthapps.io.photos.whole import check_whole

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
    if is_heif(path, data):
        file = open_heif(path, data)
        pair = stereo_group(file) is not None
        return ContentsSummary(pair, not pair and depth_picture(file) is not None, *primary(file).size)
    check_whole(data, str(path))
    views, depth = views_or_depth(data)
    width, height = stored_size(data) or _decoded_size(data, str(path))
    if read_metadata(data).orientation >= _TURNED_FROM:
        width, height = height, width
    return ContentsSummary(bool(views), depth is not None, width, height)


def views_or_depth(data: bytes) -> tuple[list[MultiPicture], EncodedDepth | None]:
    """The two views of a JPEG file, or its depth, both encoded; neither for files of other kinds."""
    if not data.startswith(SIGNATURE):
        return [], None
    views = stereo_pictures(data)
    return views, None if views else encoded_depth(data)


def _decoded_size(data: bytes, name: str) -> tuple[int, int]:
    from depthapps.io.photos.decode import decode_image

    height, width = decode_image(data, name).shape[:2]
    return width, height
