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

import errno
import os
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
        self.raw_message, self.raw_hint = message, hint

    @property
    def message(self) -> str:
        """What went wrong, with parameters as Python has them."""
        return spelled(self.raw_message)

    @property
    def hint(self) -> str:
        """What to do about it, likewise."""
        return spelled(self.raw_hint)

    def spelled(self, spell: Callable[[str, str], str]) -> tuple[str, str]:
        """Message and hint with parameters as `spell(name, value)` has them."""
        return spelled(self.raw_message, spell), spelled(self.raw_hint, spell)


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


# What the system's error numbers mean for a file, and what to do about it. Not every system knows every name.
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
        The file as the user knows it, where the error names another one, such as a temporary file.

    Returns
    -------
    message : str
        One line with the name of the file, such as "there is no space left for out.png".
    hint : str
        One line that says what to do.
    """
    named = file or error.filename2 or error.filename  # of two names, as in a rename, the second is the goal
    name = "a file" if named is None else os.fsdecode(named) if not isinstance(named, int) else f"file {named}"
    if error.errno in _OS_ERRORS_BY_NUMBER:
        message, hint = _OS_ERRORS_BY_NUMBER[error.errno]
        return message.format(file=name), hint
    reason = error.strerror or str(error) or type(error).__name__
    return f"{name} could not be read or written: {reason}", "check that its folder and its disk can be reached"
