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
"""


class DepthappsError(Exception):
    """What went wrong in one line, and what to do about it in another.

    The command line prints them as `error:` and `hint:` and exits with status 1.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


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
