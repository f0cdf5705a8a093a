"""Read depth, disparity and inverse depth maps of cameras, networks and renderers."""

from __future__ import annotations

import numpy as np

from depthapps.core.choices import DepthKind
from depthapps.core.scene import FloatMap
from depthapps.io.inputs import StrPath
from depthapps.io.maps.meaning import Meaning, depth_of, disparity_of
from depthapps.io.maps.raw import read_raw


def read_depth(path: StrPath, scale: float | None = None, *, invert: bool = False) -> FloatMap:
    """Read a depth map.

    Parameters
    ----------
    path : str or PathLike
        A ``.npy``, ``.npz``, ``.pfm``, ``.tif`` or ``.dpt`` file of metres, a 16-bit ``.png``, or, with the extra
        ``exr``, ``.exr``, with the extra ``hdf5``, ``.h5``, ``.hdf5`` and ``.mat``.
    scale : float, optional
        Units a metre; 1000 means millimetres. None takes that for whole numbers, and 1 for floats.
    invert : bool, optional
        The numbers have the other sign, as behind a camera that looks along −Z.

    Returns
    -------
    ndarray, (H, W) float32
        Depth along +Z in metres, +inf where infinitely far: +inf in the file, 65504, 1e6 and more, or one number far
        beyond all others. NaN where unknown: NaN, 0 or negative in the file, and 65535 among whole numbers.

    Raises
    ------
    InputError
        The file is not there, not a map, a picture of 8 bits without a scale or of colours, or the scale is not
        positive.
    MissingExtraError
        The file's format needs an extra that is not installed.

    Notes
    -----
    Kinect, RealSense, ScanNet and 7-Scenes write 16-bit PNG in millimetres with 0 or 65535 in holes, TUM 5000 units a
    metre. `open_scene` takes all of `DepthKind`, and its notes tell what is doubtful.
    """
    found = depth_of(read_raw(path, "depth map"), Meaning(DepthKind.METRIC, scale, invert))
    return found.values


def read_disparity(path: StrPath, scale: float | None = None, *, invert: bool = False) -> FloatMap:
    """Read a disparity map.

    Parameters
    ----------
    path : str or PathLike
        A file of the kinds that `read_depth` takes, in pixels.
    scale : float, optional
        Units a pixel. None takes 1 for floats, 256 for uint16, as KITTI writes, and 16 for int16, as OpenCV's block
        matchers return.
    invert : bool, optional
        The numbers are smaller where it is nearer, such as negative disparities.

    Returns
    -------
    ndarray, (H, W) float32
        Disparity in pixels. NaN where unknown: not finite in the file, 0 or 65535 among whole numbers.

    Raises
    ------
    InputError
        The file is not there, not a map, a picture of 8 bits without a scale, or of colours.
    MissingExtraError
        The file's format needs an extra that is not installed.

    Notes
    -----
    Middlebury writes ``.pfm`` with +inf where unknown, KITTI 16-bit ``.png`` with 0.
    """
    return disparity_of(read_raw(path, "disparity map"), scale, invert=invert)[0]


def read_inverse_depth(path: StrPath, *, affine: bool) -> tuple[FloatMap, float]:
    """Read a map whose values grow towards the camera, as monocular networks and phones write them.

    Parameters
    ----------
    path : str or PathLike
        A file of the kinds that `read_depth` takes, also of 8 bits. Whole numbers are divided by the largest value of
        their type.
    affine : bool
        The values are 1/Z times an unknown scale plus an unknown offset. They are spread so that the farthest pixels
        lie at 10 m and the nearest at 1 m, apart from half a percent at both ends.

    Returns
    -------
    inverse_m : ndarray, (h, w) float32
        1/Z in 1/m, NaN where unknown.
    sigma_m : float
        Standard deviation of `inverse_m` in 1/m that comes from rounding to whole numbers; 0 for float maps.

    Raises
    ------
    InputError
        The file is not there, not a map, has no known depth, or the same value everywhere.
    MissingExtraError
        The file's format needs an extra that is not installed.
    """
    kind = DepthKind.AFFINE_INVERSE if affine else DepthKind.INVERSE
    found = depth_of(read_raw(path, "depth map"), Meaning(kind))
    return np.asarray(found.values, np.float32), found.sigma_m
