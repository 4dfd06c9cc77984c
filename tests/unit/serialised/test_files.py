"""A file's kind, whether it is whole, tables, and pages that reach no network."""

from __future__ import annotations

import io
import json

import pytest

from x11fwd.serialised.complete import finished, kind_of
from x11fwd.serialised.pages import page_of_html, page_of_plotly
from x11fwd.serialised.tables import read_rows


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A plot as every kind of file that matplotlib and numpy write."""
    import numpy
    from matplotlib.figure import Figure

    found = {}
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([1, 2])
    for kind in ("png", "svg", "pdf", "jpeg", "webp"):
        file = io.BytesIO()
        figure.savefig(file, format=kind)
        found[kind] = file.getvalue()
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(found["png"])).save(file, "GIF")
    found["gif"] = file.getvalue()
    file = io.BytesIO()
    numpy.savez(file, a=numpy.arange(9))
    found["npz"] = file.getvalue()
    return found


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "jpeg", "webp", "gif", "npz"])
def test_a_whole_file_is_told_from_a_half_written_one(files: dict[str, bytes], kind: str) -> None:
    data = files[kind]
    assert kind_of(f"plot.{kind}", data) == kind
    assert finished(kind, data)
    for share in (0.3, 0.6, 0.9):
        assert not finished(kind, data[: int(len(data) * share)]), share


def test_what_a_file_begins_with_counts_more_than_its_name(files: dict[str, bytes]) -> None:
    assert kind_of("plot.jpg", files["png"]) == "png"
    assert kind_of("plot", files["svg"]) == "svg"
    assert kind_of("page.svg.html", b"<!DOCTYPE html><svg></svg>") == "html"
    assert kind_of("notes.txt", b"hello") == ""


def test_a_table_has_names_numbers_and_gaps() -> None:
    found = read_rows(b'\xef\xbb\xbfstep,loss,name\r\n1,0.5,a\r\n2,,"b, c"\r\n3,nan\r\n')
    assert found.columns == ("step", "loss", "name")
    assert found.rows == ((1, 0.5, "a"), (2, None, "b, c"), (3, "nan", None))


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_between_columns_is_found(sign: str) -> None:
    text = f"a{sign}b\n1{sign}2\n3{sign}4\n"
    found = read_rows(text.encode())
    assert (found.columns, found.rows) == (("a", "b"), ((1, 2), (3, 4)))


def test_a_table_without_names_counts_its_columns_and_a_long_one_its_rows() -> None:
    assert read_rows(b"1,2\n3,4\n").columns == ("1", "2")
    long = read_rows(b"a,b\n" + b"1,2\n" * 12_000)
    assert (len(long.rows), long.left_off) == (10_000, 2_000)
    assert read_rows(b"").rows == ()
    assert read_rows(b'"' + b"x" * 300_000).left_off == 1
    assert read_rows("ä,ö\n1,2\n".encode("utf-16")).columns == ("ä", "ö")


def test_a_page_gets_plotly_and_says_what_it_does_not_get() -> None:
    cdn = b'<script charset="utf-8" src="https://cdn.plot.ly/plotly-3.1.0.min.js" integrity="x"></script>'
    page = page_of_html(b"<html>" + cdn + b'<img src="https://track.example/x.png"><img src="a.png"></html>')
    assert b"cdn.plot.ly" not in page.html[:200]
    assert len(page.html) > 1_000_000
    assert page.missing == "not loaded from the network: track.example; 1 file beside it not loaded"
    assert (
        page_of_html(b'<img src="data:image/png;base64,AA"><a href="http://x.example/">x</a>').missing == ""
    )


def test_a_figure_in_json_cannot_leave_its_script() -> None:
    told = {"data": [{"name": "</script><script>alert(1)</script>"}], "layout": {}}
    page = page_of_plotly(json.dumps(told).encode())
    assert page is not None
    assert b"alert(1)</script>" not in page.html
    assert page_of_plotly(b"[" * 100_000) is None
    assert page_of_plotly(b'{"data": 3}') is None
