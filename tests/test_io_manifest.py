"""Manifests: rows with options, and what is refused in them."""

from __future__ import annotations

import pytest

from depthapps import InputError
from depthapps.io.manifest import read_manifest


def rows(tmp_path, text, suffix=".csv"):
    path = tmp_path / f"pairs{suffix}"
    path.write_text(text, encoding="utf-8-sig")  # as spreadsheets save it
    return read_manifest(path)


def test_a_table_and_lines_of_json_say_the_same(tmp_path):
    table = rows(
        tmp_path,
        'left,right,name,f_number,c,overwrite,squeezed\n"a, b.png",r.png,x/y,2,one.txt,yes,\nl.png,r.png,,,,no,\n',
    )
    lines = rows(
        tmp_path,
        '{"left": "a, b.png", "right": "r.png", "name": "x/y", "f-number": 2, "c": ["one.txt"], "overwrite": true}\n'
        '\n{"left": "l.png", "right": "r.png", "overwrite": false, "f_number": null}\n',
        ".jsonl",
    )
    for first, second in (table, lines):
        assert (first.image, first.right, first.name) == ("a, b.png", "r.png", "x/y")
        assert first.options == {"f-number": ("2",), "c": ("one.txt",), "overwrite": True}
        assert (second.image, second.name, second.options) == ("l.png", None, {"overwrite": False})


@pytest.mark.parametrize(
    ("text", "suffix", "message"),
    [
        ("left,right\na,b,c\n", ".csv", "line 2 of pairs.csv has more cells"),
        ('left\n"a\n', ".csv", "is no CSV"),
        ("left,right\n,b\n", ".csv", "names no picture"),
        ("left,right\n", ".csv", "names no picture"),
        ("left,right\na,b\nc.png,\n", ".csv", "line 3 of pairs.csv names a left view, c.png, and no right one"),
        ('{"left": "a", "right": "b"}\n{"left": "c", "fov": 60}', ".jsonl", "line 2 of pairs.jsonl names a left view"),
        ("image,right\na,b\n", ".csv", "or too many"),
        ("left;right\na;b\n", ".csv", "not parted by commas"),
        ("left\tright\na\tb\n", ".csv", "not parted by commas"),
        ('{"left": 3}', ".jsonl", "left that is no text"),
        ('{"left": "a", "fov": {}}', ".jsonl", "fov, is neither a text nor a number"),
        ('{"left": "a", "c": [["b"]]}', ".jsonl", "c, is neither"),
        ("[1]", ".jsonl", "is no JSON object"),
        ("\n{", ".jsonl", "line 2 of pairs.jsonl is no JSON"),
        ("[" * 100_000, ".jsonl", "is no JSON"),
        ("left\na", ".txt", "no manifest by its suffix"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, text, suffix, message):
    with pytest.raises(InputError, match=message):
        rows(tmp_path, text, suffix)
