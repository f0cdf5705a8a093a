"""The errors that depthapps raises on purpose.

DepthappsError
├── InputError           a file or a value cannot be used
│   ├── CalibrationError a calibration cannot be read or does not fit the picture
│   └── NetworkError     a stereo network or its description cannot be used
├── StereoError          two views do not make a depth map
│   ├── UnalignedError     the rows of two views are not the same rows
│   └── SwappedViewsError  the right view stands where the left one belongs
├── OutputError          a result cannot be written where it should go
└── MissingExtraError    an optional package is needed and not installed

A hint names the parameters that would help, through `param`: Python users read `rectify='never'`, and the command
line, which alone knows its flags, shows `--rectify never`.
"""

import re
from collections.abc import Callable

# Control characters that no message has otherwise: what stands between them is a parameter's name, and its value.
_PARAM = re.compile("\x01([a-z_]+)\x02([^\x03]*)\x03")


def param(name: str, value: object = "") -> str:
    """A parameter, and what to give it, as they stand in a hint or a note until `spelled` puts them into words."""
    return f"\x01{name}\x02{value}\x03"


def spelled(text: str, spell: Callable[[str, str], str] | None = None) -> str:
    """A text with its parameters in words: as Python has them, or as `spell(name, value)` does, value "" for none."""
    return _PARAM.sub(lambda found: (spell or _in_python)(found[1], found[2]), text)


def _in_python(name: str, value: str) -> str:
    if not value:
        return name
    return f"{name}={value}" if re.fullmatch(r"[-+.\d]+|True|False", value) else f"{name}={value!r}"


class DepthappsError(Exception):
    """What went wrong in one line, and what to do about it in another.

    The command line prints them as `error:` and `hint:` and exits with status 1.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(spelled(message))
        self._message, self._hint = message, hint

    @property
    def message(self) -> str:
        """What went wrong, with parameters as Python has them."""
        return spelled(self._message)

    @property
    def hint(self) -> str:
        """What to do about it, likewise."""
        return spelled(self._hint)

    def spelled(self, spell: Callable[[str, str], str]) -> tuple[str, str]:
        """Message and hint with parameters as `spell(name, value)` has them."""
        return spelled(self._message, spell), spelled(self._hint, spell)


class InputError(DepthappsError):
    """A file or a value cannot be used."""


class CalibrationError(InputError):
    """A calibration cannot be read, or does not fit the picture."""


class NetworkError(InputError):
    """A stereo network, or the description beside it, cannot be used."""


class StereoError(DepthappsError):
    """Two views do not make a depth map."""


class SwappedViewsError(StereoError):
    """The right view stands where the left one belongs."""


class UnalignedError(StereoError):
    """The rows of two views are not the same rows."""


class OutputError(DepthappsError):
    """A result cannot be written where it should go."""


class MissingExtraError(DepthappsError):
    """An optional package is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional extra {extra!r}, which is not installed",
            hint=f"pip install 'depthapps[{extra}]'",
        )
