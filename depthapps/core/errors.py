"""Define the errors that depthapps raises on purpose, each with a message and a hint.

DepthappsError
├── InputError           a file or a value cannot be used
│   ├── CalibrationError a calibration cannot be read or does not fit the picture
│   ├── NoDepthError     a depth map has no value at all
│   └── NetworkError     a stereo network or its description cannot be used
├── StereoError          two views do not make a depth map
│   ├── UnalignedError     the rows of two views do not line up
│   └── SwappedViewsError  the right view was given as the left one
├── OutputError          a result cannot be written where it should go
└── MissingExtraError    an optional package is needed and not installed

A hint names the parameters that would help, through `param`. Python users read `rectify='never'`; the command line,
which alone knows its flags, shows `--rectify never`.
"""

import errno
import os
import re
from collections.abc import Callable
from typing import Any

# A parameter's name and value inside a message, between control characters that messages do not have otherwise.
_LONGEST_SHOWN = 60  # characters of a value in a message
_LONGEST_REASON = 160
_PARAM = re.compile("\x01([a-z_]+)\x02([^\x03]*)\x03")


def param(name: str, value: object = "") -> str:
    """Mark a parameter, and the value to give it, inside a hint or a note; `spelled` later writes it for the reader."""
    return f"\x01{name}\x02{value}\x03"


def spelled(text: str, spell: Callable[[str, str], str] | None = None) -> str:
    """Write the marked parameters of a text as Python arguments, or as `spell(name, value)` does; value "" if none."""
    return _PARAM.sub(lambda found: (spell or _in_python)(found[1], found[2]), text)


def _in_python(name: str, value: str) -> str:
    """Write a parameter as a Python argument: numbers, True and False as they are, words in quotes."""
    if not value:
        return name
    return f"{name}={value}" if re.fullmatch(r"[-+.\d]+|True|False", value) else f"{name}={value!r}"


def brief(value: object) -> str:
    """A value as a message shows it: as Python writes it, shortened if it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        text = "a huge number"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def reason(error: Exception) -> str:
    """What a library says of an error, on one line and not at length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


class DepthappsError(Exception):
    """An error with one line that says what went wrong, and one that says what to do about it.

    The command line prints them as `error:` and `hint:` and exits with status 1.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(spelled(message))
        self.raw_message, self.raw_hint = message, hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy an error with its hint, also from a worker process; the class's own arguments are not needed."""
        return _restored, (type(self), self.raw_message, self.raw_hint)

    @property
    def message(self) -> str:
        """What went wrong, with parameters written as Python arguments."""
        return spelled(self.raw_message)

    @property
    def hint(self) -> str:
        """What to do about it, with parameters written as Python arguments."""
        return spelled(self.raw_hint)

    def tell_of(self, name: str, *, also: str = "") -> None:
        """Start the message with what the error is about, and end the hint with what may be done about that as well."""
        self.raw_message = f"{name}: {self.raw_message}"
        self.raw_hint = f"{self.raw_hint}; {also}" if also else self.raw_hint
        self.args = (self.message,)

    def spelled(self, spell: Callable[[str, str], str]) -> tuple[str, str]:
        """Message and hint with parameters as `spell(name, value)` writes them."""
        return spelled(self.raw_message, spell), spelled(self.raw_hint, spell)


def _restored(kind: type[DepthappsError], message: str, hint: str) -> DepthappsError:
    error = kind.__new__(kind)
    DepthappsError.__init__(error, message, hint=hint)
    return error


class InputError(DepthappsError):
    """A file or a value cannot be used."""


class CalibrationError(InputError):
    """A calibration cannot be read, or does not fit the picture."""


class NoDepthError(InputError):
    """A depth map has no value at all."""


class NetworkError(InputError):
    """A stereo network, or the description beside it, cannot be used."""


class StereoError(DepthappsError):
    """Two views do not make a depth map."""


def nothing_moved(found: str) -> StereoError:
    """The error for two views between which nothing moved, of which `found` tells."""
    return StereoError(found, hint="take the second one a few centimetres to the right of the first")


class SwappedViewsError(StereoError):
    """The right view was given as the left one.

    doffs_px: if it was not, because the cameras converge, the offset of infinity that the farthest matches would have;
    None where nothing tells.
    """

    def __init__(self, message: str, *, hint: str, doffs_px: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.doffs_px = doffs_px


class UnalignedError(StereoError):
    """The rows of two views do not line up: a point does not lie on the same row in both.

    told: False if there is too little in the views to tell.
    """

    def __init__(self, message: str, *, hint: str, told: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.told = told


class OutputError(DepthappsError):
    """A result cannot be written where it should go."""


class MissingExtraError(DepthappsError):
    """An optional package is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional extra {extra!r}, which is not installed",
            hint=f"pip install 'depthapps[{extra}]'",
        )


# Message and hint for each of the system's error numbers, by its name. Not every system has every name.
_OS_ERRORS = {
    "ENOENT": ("{file} does not exist", "check the path and its spelling; was its folder moved or removed?"),
    "EACCES": ("{file} may not be opened: permission denied", "check the permissions; is another program using it?"),
    "EPERM": ("{file} may not be changed: the system does not permit it", "check the permissions of file and folder"),
    "EEXIST": ("{file} exists already", "choose another name"),
    "EISDIR": ("{file} is a folder", "name a file in it"),
    "ENOTDIR": ("{file} cannot be reached: a part of its path is a file, not a folder", "check the path"),
    "ENAMETOOLONG": ("the name {file} is too long", "choose a shorter one; most systems take 255 bytes"),
    "ELOOP": ("{file} is a symbolic link that leads back to itself", "check where the link points"),
    "EINVAL": ("{file} is a name that the system refuses", "leave out characters such as : ? * and line breaks"),
    "EROFS": ("{file} lies on a disk that can only be read", "write to another folder"),
    "ENOSPC": ("there is no space left for {file}", "free some space, or write to another disk"),
    "EDQUOT": ("there is no space left for {file} in your quota", "remove files of yours, or write to another disk"),
    "EFBIG": ("{file} is larger than the disk or a limit allows", "write to another disk; `ulimit -f` shows the limit"),
    "EMFILE": ("too many files are open to open {file}", "raise the limit, which `ulimit -n` shows"),
    "ENFILE": ("too many files are open on this computer to open {file}", "close other programs"),
    "EBUSY": ("{file} is in use", "close the program that uses it"),
    "ETXTBSY": ("{file} is in use", "close the program that uses it"),
    "EIO": ("the disk failed while {file} was read or written", "try another disk, and check this one"),
    "ESTALE": ("{file} lies in a network folder that is gone", "connect the network folder again"),
    "ENOMEM": ("there is no memory left to read or write {file}", "close other programs, or use smaller pictures"),
}
_OS_ERRORS_BY_NUMBER = {getattr(errno, name): words for name, words in _OS_ERRORS.items() if hasattr(errno, name)}


def explain_os_error(error: OSError, file: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    """Say what happened to which file, and what to do about it.

    Parameters
    ----------
    error : OSError
        What the operating system reported.
    file : str or PathLike, optional
        The file as the user knows it, if the error names another one, such as a temporary file.

    Returns
    -------
    message : str
        One line with the name of the file, such as "there is no space left for out.png".
    hint : str
        One line that says what to do.
    """
    named = file or error.filename2 or error.filename  # a rename has two names, the second is the output
    name = "a file" if named is None else os.fsdecode(named) if not isinstance(named, int) else f"file {named}"
    if error.errno in _OS_ERRORS_BY_NUMBER:
        message, hint = _OS_ERRORS_BY_NUMBER[error.errno]
        return message.format(file=name), hint
    reason = error.strerror or str(error) or type(error).__name__
    return f"{name} could not be read or written: {reason}", "check that its folder and its disk can be reached"
