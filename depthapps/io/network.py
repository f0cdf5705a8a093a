"""A network's files: FILE.onnx and the description FILE.json beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from depthapps.core.errors import NetworkError
from depthapps.io.outputs import check_input


def read_network(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of an ONNX file and the object in the JSON file of the same name beside it.

    Raises InputError for files that are not there, NetworkError for a description that is no JSON object.
    """
    check_input(path, "network")
    beside = path.with_suffix(".json")
    if not beside.exists():
        raise NetworkError(
            f"{path.name} has no description {beside.name} beside it",
            hint="samples/README.md tells what it holds, with examples",
        )
    try:
        entries = json.loads(check_input(beside, "network's description").read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"{beside} is not JSON: {error}", hint="check its commas and quotes") from None
    if not isinstance(entries, dict):
        raise NetworkError(f"{beside} holds no JSON object", hint='it begins with {"inputs": ["left", "right"]')
    return path.read_bytes(), entries
