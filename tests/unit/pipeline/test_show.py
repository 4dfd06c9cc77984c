"""The line of `show`: what became of each file, while files change and lines drop."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.serialised.test_following import aged
from x11fwd.errors import ConnectionLost, UsageError
from x11fwd.pipeline import feed
from x11fwd.pipeline.show import ShowOptions, Source, place_of, run_show
from x11fwd.pipeline.show_items import Face, of_file, of_opened
from x11fwd.target import SshOptions
from x11fwd.transports.local import LocalTransport
from x11fwd.viewer.items import Document, Note, Picture, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from x11fwd.pipeline.show import ShowResult
    from x11fwd.viewer.items import Item

FACE = Face("id", "name", "where")


class Wall:
    """Shows everything, and ends when `enough`."""

    def __init__(self, enough: Callable[[Wall], bool] = lambda _: False) -> None:
        self.items: dict[str, Item] = {}
        self.puts: list[str] = []
        self.texts: list[str] = []
        self._enough = enough
        self._end = time.monotonic() + 60

    def put(self, item: Item) -> None:
        self.items[item.id] = item
        self.puts.append(item.id)
        if isinstance(item, Note):
            self.texts.append(item.text)

    def remove(self, item_id: str) -> None:
        self.items.pop(item_id, None)

    def pulse(self) -> bool:
        assert time.monotonic() < self._end, self.items
        return not self._enough(self)


class Nobody:
    def accept_host_key(self, question: object) -> bool:
        return False

    def secret(self, prompt: str) -> str | None:
        return None

    visible = secret

    def notice(self, text: str) -> None: ...


def shown(wall: Wall, *paths: Path | str, once: bool = True, unopened: str = "") -> ShowResult:
    sources = [Source(str(path), None, str(path)) for path in paths]
    return run_show(sources, ShowOptions(once=once, unopened=unopened), Nobody(), wall, drawing="")


@pytest.mark.parametrize(
    ("typed", "host", "path"),
    [
        ("gpu1:a.png", "gpu1", "a.png"),
        ("ana@gpu1:~/runs/*.png", "gpu1", "~/runs/*.png"),
        ("[::1]:a.png", "::1", "a.png"),
        ("a.png", None, "a.png"),
        ("./a:b.png", None, "./a:b.png"),
        ("/x/a:b.png", None, "/x/a:b.png"),
    ],
)
def test_a_path_is_read_as_scp_reads_it(typed: str, host: str | None, path: str) -> None:
    source = place_of(typed, SshOptions())
    assert ((source.target.host if source.target else None), source.path) == (host, path)


@pytest.mark.parametrize("typed", ["", "gpu1:", "a\0b"])
def test_what_names_no_file_is_said_so(typed: str) -> None:
    with pytest.raises(UsageError):
        place_of(typed, SshOptions())


def test_files_are_shown_once_with_what_is_not_there_and_not_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\n1,2\n")
    (tmp_path / "half.png").write_bytes(b"\x89PNG\r\n\x1a\n and no end")
    (tmp_path / "odd.bin").write_bytes(b"what is this")
    for path in tmp_path.iterdir():
        aged(path)
    wall = Wall()
    result = shown(
        wall, tmp_path / "a.csv", tmp_path / "half.png", tmp_path / "odd.bin", tmp_path / "none.png"
    )
    assert [(one.state, one.why) for one in result.files] == [
        ("shown", ""),
        ("not shown", "is not whole: its end is missing"),
        ("not shown", "is no kind of file that can be shown"),
        ("not there", "is not there"),
    ]
    assert result.exit_code == 1
    assert shown(Wall(), tmp_path / "a.csv").exit_code == 0


def test_the_last_whole_state_stays_while_a_file_is_half_written(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    whole = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(whole, format="png")
    file = tmp_path / "plot.png"
    file.write_bytes(whole.getvalue())
    aged(file)
    steps = ["half", "whole", "gone"]

    def enough(wall: Wall) -> bool:
        notes = [one.text for one in wall.items.values() if isinstance(one, Note)]
        pictures = sum(isinstance(wall.items.get(one), Picture) for one in wall.puts)
        half = any("its end is missing; what is shown is the last" in one for one in notes)
        if steps[0] == "half" and pictures == 1:
            file.write_bytes(whole.getvalue()[:-20])
        elif steps[0] == "whole" and half:
            file.write_bytes(whole.getvalue() + b"\n")
        elif steps[0] == "gone" and pictures == 2 and not notes:
            file.unlink()
        else:
            return any("not there any more" in one for one in notes)
        steps.append(steps.pop(0))
        return False

    wall = Wall(enough)
    result = shown(wall, file, once=False)
    assert [(one.state, one.changes) for one in result.files] == [("gone", 2)]
    assert sum(isinstance(one, Picture) for one in wall.items.values()) == 1


def test_things_that_a_file_does_not_hold_any_more_leave_the_page(tmp_path: Path) -> None:
    import numpy

    file = tmp_path / "a.npz"
    numpy.savez(file, one=numpy.arange(50), two=numpy.arange(60))
    aged(file)

    def enough(wall: Wall) -> bool:
        names = sorted(one.title for one in wall.items.values() if isinstance(one, Picture))
        if names == ["a.npz: one", "a.npz: two"] and not wall.texts:
            wall.texts.append("changed")
            numpy.savez(tmp_path / "b.part.npz", two=numpy.arange(60))
            (tmp_path / "b.part.npz").replace(file)
        return names == ["a.npz: two"]

    assert shown(Wall(enough), file, once=False).exit_code == 0


def test_a_line_that_drops_is_said_and_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"x,y\n1,2\n")
    aged(file)
    opened: list[object] = []
    cut: list[bool] = []
    stream = LocalTransport.stream

    def dropping(self: LocalTransport, argv: list[str], *, x11: bool = False) -> object:
        if len(opened) in {1, 2}:
            opened.append(None)
            raise ConnectionLost("the line is cut")
        opened.append(stream(self, argv, x11=x11))
        return opened[-1]

    monkeypatch.setattr(LocalTransport, "stream", dropping)
    monkeypatch.setattr(feed, "BACK_OFF", (0.01,))

    def enough(wall: Wall) -> bool:
        if len(opened) == 1 and wall.puts and not cut:
            cut.append(True)
            opened[0]._process.kill()  # type: ignore[attr-defined]  # the far half dies with its line
            opened[0]._process.wait()  # type: ignore[attr-defined]  # and sees nothing of what follows
            file.write_bytes(b"x,y\n1,2\n3,4\n")
        tables = [one for one in wall.items.values() if isinstance(one, Table)]
        return (
            bool(tables)
            and len(tables[0].rows) == 2
            and not any(one.startswith("line ") for one in wall.items)
        )

    wall = Wall(enough)
    shown(wall, file, once=False)
    assert "the line is down; trying again" in wall.texts
    assert len(opened) == 4


def test_pickles_of_this_machine_stay_closed_unless_they_may_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a.pickle").write_bytes(b"N.")
    aged(tmp_path / "a.pickle")
    assert [one.why for one in shown(Wall(), tmp_path, unopened="is closed").files] == ["is closed"]
    assert [one.why for one in shown(Wall(), tmp_path).files] == [
        "it holds a builtins.NoneType, which is no figure"
    ]


def told(*parts: tuple[int, str, bytes], notes: tuple[str, ...] = (), why: str = "") -> bytes:
    head = [{"figure": number, "form": form, "title": "t", "size": len(data)} for number, form, data in parts]
    words = json.dumps({"parts": head, "notes": notes, "why": why}).encode()
    return words + b"\n" + b"".join(data for _, _, data in parts)


PNG = b"\x89PNG\r\n\x1a\n"
NUMBERS = json.dumps(
    {"data": [{"type": "scatter", "x": [1], "y": [2]}], "layout": {}, "missing": []}
).encode()


def test_a_figure_is_an_svg_with_its_numbers_and_png_where_only_that_can_be_shown() -> None:
    data = told((0, "png", PNG), (0, "svg", b"<svg></svg>"), (0, "numbers", NUMBERS), notes=("saved by 3.1",))
    (picture,) = of_opened(FACE, data).items
    assert isinstance(picture, Picture)
    assert (picture.kind, bool(picture.figure), picture.caption) == ("svg", True, "saved by 3.1; where")
    (picture,) = of_opened(Face("id", "name", "where", pixels=True), data).items
    assert isinstance(picture, Picture)
    assert picture.kind == "png"


def test_the_forms_of_others_are_pages_in_a_frame_and_tables() -> None:
    plotly = b'{"data": [], "layout": {}}'
    shown = of_opened(FACE, told((0, "plotly", plotly), (1, "html", b"<p>"), (2, "csv", b"a,b\n1,2\n")))
    assert [type(one) for one in shown.items] == [Document, Document, Table]
    assert len({one.id for one in shown.items}) == 3


def test_what_the_opener_lies_about_is_not_shown() -> None:
    assert of_opened(FACE, told((0, "png", b"no picture"))).why.startswith(
        "cannot be shown: “t” is not a png"
    )
    assert of_opened(FACE, told((0, "npy", b"no array"))).why == "is no .npy file"
    assert of_opened(FACE, told()).why == "holds nothing that can be shown"


def test_a_page_stays_in_its_frame() -> None:
    (page,) = of_file(FACE, "a.html", b"<script>1</script>").items
    assert isinstance(page, Document)
