"""Parse XMP packets: the properties of a picture, and the lists among them (ISO 16684-1)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DEEPEST, _MOST_ELEMENTS = 40, 50_000  # photos have some ten levels, and some hundred elements
_LISTS = (f"{_RDF}Seq", f"{_RDF}Bag")


class Xmp:
    """The properties of XMP packets.

    A property goes by the last part of its namespace and its name: "depthmap:Near". GDepth and Dynamic Depth share
    these parts, though the versions in their namespaces differ.
    """

    def __init__(self, packets: list[bytes]) -> None:
        self._roots = [root for packet in packets if (root := _parsed(packet)) is not None]
        self.properties: dict[str, str] = {}
        for root in self._roots:
            self.properties.update(_flat(root))

    def number(self, name: str) -> float | None:
        """A property as a number; None where it is missing or not a number."""
        try:
            return float(self.properties[name])
        except (KeyError, ValueError):
            return None

    def numbers(self, name: str) -> list[float]:
        """A list of numbers, as Apple writes matrices; empty where it is missing."""
        for root in self._roots:
            for element in root.iter():
                if _short(element.tag) == name:
                    try:
                        return [float(item.text or "") for item in element.iter(f"{_RDF}li")]
                    except ValueError:
                        return []
        return []

    def entries(self, name: str) -> list[dict[str, str]]:
        """The properties of every entry of those lists in which some entry has the property `name`."""
        found = []
        for root in self._roots:
            for element in root.iter():
                if element.tag in _LISTS:
                    entries = [_flat(item) for item in element if item.tag == f"{_RDF}li"]
                    if any(name in entry for entry in entries):
                        found += entries
        return found


def _parsed(packet: bytes) -> ElementTree.Element | None:
    start, end = packet.find(b"<x:xmpmeta"), packet.rfind(b">")
    start = start if start >= 0 else packet.find(b"<rdf:RDF")
    if start < 0 or b"<!DOCTYPE" in packet:  # XMP needs no DOCTYPE, and one could expand without end
        return None
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        parser.feed(packet[start : end + 1].removesuffix(b'<?xpacket end="w"?>'))
        return parser.close()
    except (ElementTree.ParseError, ValueError):
        return None


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree that is not absurdly deep or large, since every list in it is walked with all that is inside."""

    def __init__(self) -> None:
        super().__init__()
        self._deep = self._elements = 0

    def start(self, tag: Any, attrs: Any) -> Any:
        self._deep += 1
        self._elements += 1
        if self._deep > _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise ValueError("XMP is no such tree")
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Any:
        self._deep -= 1
        return super().end(tag)


def _short(tag: str) -> str:
    """'{http://ns.google.com/photos/1.0/depthmap/}Near' -> 'depthmap:Near'; version numbers are skipped."""
    if not tag.startswith("{"):
        return tag
    namespace, name = tag[1:].split("}", 1)
    parts = [part for part in namespace.strip("/#").split("/") if not part.replace(".", "").isdigit()]
    return f"{parts[-1] if parts else ''}:{name}"


def _flat(element: ElementTree.Element) -> dict[str, str]:
    """All attributes and texts of an element and of those inside it, by their short names."""
    found = {}
    for part in element.iter():
        found.update({_short(name): value for name, value in part.attrib.items()})
        if part.text and part.text.strip():
            found[_short(part.tag)] = part.text.strip()
    return found
