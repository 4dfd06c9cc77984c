"""What is let through of a figure's data that a remote sent."""

from __future__ import annotations

import json

import pytest

from x11fwd.viewer.figure import checked_figure, described_figure
from x11fwd.viewer.items import Picture

TRACE = {"type": "scatter", "x": [1, 2], "y": [3, None], "name": "a <b>&</b>"}
FIGURE = {"data": [TRACE], "layout": {"xaxis": {"range": [0, 1]}}, "width": 640, "height": 480, "missing": []}


def changed(**more: object) -> bytes:
    return json.dumps({**FIGURE, **more}).encode()


def test_a_figure_passes_with_its_texts_as_texts() -> None:
    told = json.loads(checked_figure(changed()))
    assert told["data"][0]["x"] == [1, 2]
    assert told["data"][0]["name"] == "a &lt;b&gt;&amp;&lt;/b&gt;"
    assert (told["width"], told["height"]) == (640, 480)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        changed(data=[]),
        changed(data=[{"type": "scattermapbox"}]),
        changed(data=[{"type": "scattergl", "x": [1]}]),
        changed(data=["scatter"]),
        changed(data=[{**TRACE, "transforms": []}]),
        changed(layout={"images": [{"source": "http://example.org/x.png"}]}),
        changed(layout={"template": {}}),
        changed(layout={"xaxis": {"title": {"font": {"onclick": "x"}}}}),
        changed(data=[{"type": "image", "source": "http://example.org/x.png"}]),
        changed(data=[{"type": "image", "source": "data:image/svg+xml;base64,AAAA"}]),
        changed(data=[{"type": "image", "source": 'data:image/png;base64,AAAA"><script>'}]),
        changed(data=[{**TRACE, "z": [[[[[[[[[1]]]]]]]]]}]),
        changed(data=[{**TRACE, "x": [0] * 500_000}]),
        b"[" * 100_000,
        b" " * (9 << 20),
    ],
    ids=str,
)
def test_what_is_not_on_the_list_is_no_figure(data: bytes) -> None:
    assert checked_figure(data) == b""


def test_numbers_that_are_none_stay_none() -> None:
    told = json.loads(
        checked_figure(b'{"data":[{"type":"bar","x":[NaN,Infinity,1e999,1%s]}],"layout":{}}' % (b"0" * 400))
    )
    assert told["data"][0]["x"] == [None] * 4


def test_the_page_is_told_whether_all_of_the_picture_is_in_it() -> None:
    assert described_figure(checked_figure(changed())) == "all"
    assert described_figure(checked_figure(changed(missing=["polar axes"]))) == "part"
    assert described_figure(b"") == ""


def test_a_picture_with_a_bad_figure_is_a_picture() -> None:
    png = b"\x89PNG\r\n\x1a\n"
    assert Picture("a", "a", png, "png", figure=b"{}").figure == b""
    assert Picture("a", "a", png, "png", figure=changed()).figure.startswith(b'{"data":')
