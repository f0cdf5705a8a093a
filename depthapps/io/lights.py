"""Read files that describe lights."""

from __future__ import annotations

from typing import Any

from depthapps.core.errors import InputError
from depthapps.io.inputs import StrPath, read_json

_EXAMPLE = '[{"azimuth": 60, "elevation": 30}, {"light": "point", "position": [0.5, -0.4, 1.2]}]'


def read_lights(path: StrPath) -> list[dict[str, Any]]:
    """Read a file of lights.

    Parameters
    ----------
    path : str or PathLike
        A JSON file: a list with one object a light.

    Returns
    -------
    list of dict
        The objects as they stand in the file; what their entries mean is not checked here.

    Raises
    ------
    InputError
        The file is not there, not JSON, or not a list of objects.
    """
    found = read_json(path, "lights file", hint=_EXAMPLE)
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise InputError(f"{path} is not a list of lights", hint=_EXAMPLE)
    return found
