"""Files that describe lights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from depthapps.core.errors import InputError
from depthapps.io.outputs import check_input

_EXAMPLE = '[{"azimuth": 60, "elevation": 30}, {"light": "point", "position": [0.5, -0.4, 1.2]}]'


def read_lights(path: Path) -> list[dict[str, Any]]:
    """The lights of a JSON file, a list of objects, as they stand there. Raises InputError."""
    check_input(path, "lights file")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON: {error}", hint=_EXAMPLE) from None
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise InputError(f"{path} is not a list of lights", hint=_EXAMPLE)
    return found
