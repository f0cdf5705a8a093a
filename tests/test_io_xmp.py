"""XMP in the ways that it is written: attributes or elements, versions in namespaces, packets that are broken."""

from __future__ import annotations

import pytest
from photo_files import RDF, xmp

from depthapps.io.photos.xmp import Xmp

DEPTH = 'xmlns:D="http://ns.google.com/photos/1.0/depthmap/"'


def test_attributes_and_elements_are_the_same():
    for packet in (xmp('D:Near="2.5"', DEPTH), xmp("", DEPTH, "<D:Near> 2.5 </D:Near>")):
        found = Xmp([b'<?xpacket begin="" id="x"?>' + packet + b'<?xpacket end="w"?>'])
        assert found.number("depthmap:Near") == 2.5
        assert found.number("depthmap:Far") is None


def test_versions_are_no_names():
    for space in ("http://ns.google.com/photos/dd/1.0/depthmap/", "http://x/depthmap/2.0/", "http://x/depthmap#"):
        assert Xmp([xmp('D:Near="1"', f'xmlns:D="{space}"')]).number("depthmap:Near") == 1


def test_lists():
    body = "<D:M><rdf:Seq><rdf:li>1</rdf:li><rdf:li>2.5</rdf:li></rdf:Seq></D:M>"
    assert Xmp([xmp("", DEPTH, body)]).numbers("depthmap:M") == [1, 2.5]
    assert Xmp([xmp("", DEPTH, body.replace("2.5", "x"))]).numbers("depthmap:M") == []
    body = '<D:L><rdf:Seq><rdf:li D:A="1"/><rdf:li rdf:parseType="Resource"><D:A>2</D:A></rdf:li></rdf:Seq></D:L>'
    assert [entry["depthmap:A"] for entry in Xmp([xmp("", DEPTH, body)]).entries("depthmap:A")] == ["1", "2"]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        b"<x:xmpmeta",
        xmp('D:Near="1"', ""),
        f'<!DOCTYPE a [<!ENTITY b "c">]><x:xmpmeta xmlns:x="x" {RDF}>&b;</x:xmpmeta>'.encode(),
    ],
)
def test_broken_packets_say_nothing(packet):
    assert Xmp([packet]).properties == {}
