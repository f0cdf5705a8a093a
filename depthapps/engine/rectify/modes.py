"""What the user decides about rectification."""

from enum import StrEnum


class Rectify(StrEnum):
    """Whether two views are brought onto common rows first: if they are not yet, not at all, or in any case."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


class Frame(StrEnum):
    """Whose pixels a result has: those of the first photo as it was taken, or of its rectified version."""

    ORIGINAL = "original"
    RECTIFIED = "rectified"
