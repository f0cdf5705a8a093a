"""The one dial between speed and quality."""

from enum import StrEnum


class Quality(StrEnum):
    """How much time a result may take; every stage reads the same dial."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"
