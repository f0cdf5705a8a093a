"""Read the two files of a network of a user's own: FILE.onnx and the description FILE.json beside it."""

from __future__ import annotations

from typing import Any

from depthapps.core.errors import InputError, NetworkError
from depthapps.io.inputs import StrPath, check_input, read_bytes, read_json


def read_network(path: StrPath) -> tuple[bytes, dict[str, Any]]:
    """Read a network of two views or of one photo.

    Parameters
    ----------
    path : str or PathLike
        An ONNX file. A JSON file of the same name lies beside it and describes its inputs and its output.

    Returns
    -------
    model : bytes
        The ONNX file.
    entries : dict
        The object in the JSON file; what its entries mean is not checked here.

    Raises
    ------
    InputError
        The ONNX file is not there.
    NetworkError
        The description is not there, or is not a JSON object.
    """
    path = check_input(path, "network")
    beside = path.with_suffix(".json")
    if not beside.exists():
        raise NetworkError(
            f"{path.name} has no description {beside.name} beside it",
            hint="samples/README.md tells what it holds, with examples",
        )
    try:
        entries = read_json(beside, "network's description", hint="check its commas and quotes")
    except InputError as error:
        raise NetworkError(error.message, hint=error.raw_hint) from None
    if not isinstance(entries, dict):
        raise NetworkError(f"{beside} holds no JSON object", hint='it begins with {"inputs": ["left", "right"]')
    return read_bytes(path, "network"), entries
