"""Make any text safe to print on one line of a terminal."""

from __future__ import annotations

import re

# Control characters, also those of eight bits; line ends of Unicode; marks that turn the direction of text; surrogates,
# which stand for bytes of a file name that are no UTF-8. A terminal obeys some of them, and cannot show the others.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with every character that would not show as itself written as Python writes it, such as \\x1b."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
