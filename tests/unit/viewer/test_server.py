"""The viewer over HTTP on the loopback: who is let in, what tabs are told, what is kept."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from x11fwd.viewer.items import Chart, Document, Note, Picture, Table
from x11fwd.viewer.server import PortTakenError, Viewer, ViewerMissingError
from x11fwd.viewer.store import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    with Viewer("a title") as one:
        yield one


def get(
    viewer: Viewer, path: str = "", *, whole: str = "", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an address behind the token, or of a whole path."""
    token = viewer.address.split("/")[3]
    connection = http.client.HTTPConnection("127.0.0.1", viewer.port, timeout=90)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, whole or f"/{token}/{path}", headers=sent)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


class Events:
    """A tab's stream."""

    def __init__(self, viewer: Viewer, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", viewer.port, timeout=90)
        headers = {"Last-Event-ID": last} if last else {}
        self.connection.request("GET", f"/{viewer.address.split('/')[3]}/events", headers=headers)
        self.answer = self.connection.getresponse()
        self.last = ""

    def next(self) -> tuple[str, Any]:
        """Name and data of the next event that says something."""
        name, data = "", ""
        while line := self.answer.readline().decode().rstrip("\n"):
            word, _, value = line.partition(": ")
            if word == "event":
                name = value
            elif word == "data":
                data = value
            elif word == "id":
                self.last = value
        return (name, json.loads(data)) if name not in {"", "alive"} or not data else self.next()

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def described(viewer: Viewer) -> list[dict[str, Any]]:
    """Everything that a new tab is told."""
    events = Events(viewer)
    events.next()
    found: list[dict[str, Any]] = events.next()[1]["items"]
    events.close()
    return found


def test_the_page_and_its_files_are_there_with_the_token(viewer: Viewer) -> None:
    status, headers, body = get(viewer)
    assert status == 200
    assert b"page.js" in body
    assert headers["content-type"].startswith("text/html")
    for name in ("page.js", "tiles.js", "zoom.js", "chart.js", "table.js", "style.css", "icon.svg"):
        assert get(viewer, name)[0] == 200, name
    assert b"plotly" in get(viewer, "plotly.js")[2][:200]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page.js",
        "/events",
        "/favicon.ico",
        f"/{'A' * 32}/",
        f"/{'A' * 32}/events",
        "/%00/",
        "//",
        "/%C3%A9/",
    ],
)
def test_without_the_token_nothing_is_there(viewer: Viewer, path: str) -> None:
    viewer.put(Picture("1", "secret", PNG, "png"))
    status, headers, body = get(viewer, whole=path)
    assert (status, body) == (404, b"Nothing here.\n")
    assert "access-control-allow-origin" not in headers


def test_the_token_has_at_least_128_bits_and_is_new_each_time() -> None:
    with Viewer("one") as one, Viewer("two") as two:
        tokens = {one.address.split("/")[3], two.address.split("/")[3]}
        assert len(tokens) == 2
        assert one.port != two.port
        assert all(len(token) * 6 >= 128 for token in tokens)
        assert get(one, whole=f"/{two.address.split('/')[3]}/")[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}"]
)
def test_a_foreign_host_name_gets_nothing(viewer: Viewer, host: str) -> None:
    assert get(viewer, Host=host.format(port=viewer.port))[0] == 404
    assert get(viewer, Host=f"localhost:{viewer.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_a_foreign_origin_gets_nothing(viewer: Viewer, origin: str) -> None:
    assert get(viewer, Origin=origin.format(port=viewer.port))[0] == 404
    assert get(viewer, "events"[:0], Origin=f"http://127.0.0.1:{viewer.port}")[0] == 200


def test_another_site_may_only_lead_to_the_page_in_a_tab(viewer: Viewer) -> None:
    tab = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert get(viewer, **tab)[0] == 200
    assert get(viewer, **{**tab, "Sec_Fetch_Dest": "iframe"})[0] == 404
    assert (
        get(viewer, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")[0] == 404
    )
    assert get(viewer, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_sent(viewer: Viewer, method: str) -> None:
    assert get(viewer, method=method)[0] == 404


def test_every_answer_is_kept_from_other_pages(viewer: Viewer) -> None:
    for path in ("", "page.js", "nothing"):
        headers = get(viewer, path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
    policy = get(viewer)[1]["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_no_part_of_the_page_holds_a_script_or_an_address_outside(viewer: Viewer) -> None:
    page = get(viewer)[2].decode()
    assert "<script>" not in page
    assert " onclick" not in page
    assert "style=" not in page
    for name in ("", "page.js", "tiles.js", "zoom.js", "chart.js", "table.js", "style.css"):
        text = get(viewer, name)[2].decode()
        assert "https://" not in text
        assert "innerHTML" not in text


def test_a_document_has_an_address_of_its_own_that_tells_nothing_of_the_page(viewer: Viewer) -> None:
    viewer.put(Document("d", "doc", b"<script>1</script>"))
    (item,) = described(viewer)
    status, headers, body = get(viewer, whole=f"/frame/{item['frame']}/1")
    assert (status, body) == (200, b"<script>1</script>")
    assert headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert viewer.address.split("/")[3] not in item["frame"]
    assert get(viewer, whole=f"/frame/{'A' * 32}/1")[0] == 404
    viewer.remove("d")
    assert get(viewer, whole=f"/frame/{item['frame']}/1")[0] == 404


def test_an_svg_that_is_opened_by_itself_runs_no_script(viewer: Viewer) -> None:
    viewer.put(Picture("s", "svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"))
    headers = get(viewer, "picture/1/1")[1]
    assert headers["content-type"] == "image/svg+xml"
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_a_tab_is_told_what_is_there_and_then_what_changes(viewer: Viewer) -> None:
    viewer.put(Picture("1", "Figure 1", PNG, "png"))
    events = Events(viewer)
    assert events.next() == ("hello", {"title": "a title", "epoch": events_epoch(viewer), "from": 0})
    name, change = events.next()
    assert name == "change"
    assert [item["title"] for item in change["items"]] == ["Figure 1"]
    viewer.put(Picture("1", "Figure 1", PNG + b"2", "png"))
    (item,) = events.next()[1]["items"]
    assert (item["key"], item["version"]) == (1, 2)
    assert get(viewer, f"picture/1/{item['version']}")[2] == PNG + b"2"
    viewer.remove("1")
    assert events.next() == ("change", {"items": [], "order": []})
    assert get(viewer, "picture/1/2")[0] == 404
    events.close()


def test_it_is_known_that_somebody_has_looked_also_when_the_tab_is_gone(viewer: Viewer) -> None:
    assert not viewer.visited
    events = Events(viewer)
    events.next()
    events.close()
    assert viewer.visited


def events_epoch(viewer: Viewer) -> str:
    """The name of this run of the program, as every tab learns it."""
    events = Events(viewer)
    epoch: str = events.next()[1]["epoch"]
    events.close()
    return epoch


def test_a_tab_that_was_cut_off_is_told_only_what_it_missed(viewer: Viewer) -> None:
    viewer.put(Picture("1", "one", PNG, "png"))
    viewer.put(Picture("2", "two", PNG, "png"))
    events = Events(viewer)
    events.next()
    events.next()
    events.close()
    viewer.put(Picture("3", "three", PNG, "png"))
    again = Events(viewer, events.last)
    assert again.next()[1]["from"] > 0
    change = again.next()[1]
    assert [item["title"] for item in change["items"]] == ["three"]
    assert change["order"] == [1, 2, 3]
    again.close()


@pytest.mark.parametrize("last", ["00000000-5", "x", "-", "99999999999999999999", "a" * 5000])
def test_a_number_of_another_program_or_nonsense_starts_from_the_beginning(viewer: Viewer, last: str) -> None:
    viewer.put(Picture("1", "one", PNG, "png"))
    events = Events(viewer, last)
    assert events.next()[1]["from"] == 0
    assert len(events.next()[1]["items"]) == 1
    events.close()


def test_many_changes_to_a_slow_tab_become_one(viewer: Viewer) -> None:
    events = Events(viewer)
    events.next()
    events.next()
    for number in range(500):
        viewer.put(Picture("1", f"frame {number}", PNG, "png"))
    told: list[str] = []
    while not told or told[-1] != "frame 499":
        told += [item["title"] for item in events.next()[1]["items"]]
    assert len(told) < 500
    events.close()


def test_hostile_titles_travel_as_text_and_break_no_line(viewer: Viewer) -> None:
    title = "<img src=x onerror=alert(1)>\n\ndata: {}\r\x00\u2028</script>"
    viewer.put(Note("n", title, title * 10_000))
    (item,) = described(viewer)
    assert item["title"].startswith("<img src=x onerror=alert(1)>  data")
    assert len(item["text"]) <= 20_000


def test_closing_tells_every_tab_and_frees_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("x11fwd.viewer.server._END_LIMIT", 90.0)  # who closes it gives up waiting otherwise
    viewer = Viewer("x")
    viewer.start()
    events = Events(viewer)
    events.next()
    events.next()
    waited: list[bool] = []
    waiting = threading.Thread(target=lambda: waited.append(viewer.wait_closed(90)))
    waiting.start()
    viewer.close()
    viewer.close()
    assert events.next() == ("end", {})
    events.close()
    waiting.join(90)
    assert waited == [True]
    with Viewer("y", viewer.port) as second:
        assert second.port == viewer.port


def test_who_waits_for_the_end_without_a_limit_hears_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = Viewer("x")
    steps: list[float | None] = []

    def wait(timeout: float | None = None) -> bool:
        steps.append(timeout)
        return len(steps) == 5

    monkeypatch.setattr(viewer._closed, "wait", wait)
    assert viewer.wait_closed()
    assert [one is not None and one < 1 for one in steps] == [True] * 5
    steps.clear()
    assert not viewer.wait_closed(0.5)
    assert steps == [0.5]


def test_a_port_that_was_asked_for_and_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} of this machine is taken") as caught:
            Viewer("x", port).start()
        assert caught.value.exit_code == 2
        with Viewer("x", port, next_free=True) as viewer:
            assert port < viewer.port <= port + 50


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_port_that_is_none_is_said(port: int) -> None:
    with pytest.raises(PortTakenError):
        Viewer("x", port).start()


def test_only_this_machine_can_connect(viewer: Viewer) -> None:
    assert viewer.address.startswith("http://127.0.0.1:")
    with pytest.raises(OSError), socket.create_connection(("::1", viewer.port), 2):
        pass


def test_the_oldest_goes_when_there_is_too_much() -> None:
    with Viewer("x", limits=Limits(items=3)) as viewer:
        for number in range(5):
            viewer.put(Picture(str(number), str(number), PNG, "png"))
        assert [item["title"] for item in described(viewer)] == ["2", "3", "4"]
        assert viewer.dropped == 2


def test_what_the_viewer_needs_and_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ViewerMissingError) as caught:
        Viewer("x").start()
    assert "x11fwd[viewer]" in caught.value.hint


def test_tables_and_charts_come_as_json(viewer: Viewer) -> None:
    nan = float("nan")
    viewer.put(Table("t", "t", ["a", "b"], [(1, nan), ("x", None)]))
    viewer.put(Chart("c", "loss"))
    viewer.extend("c", "train", [1, 2, 3], [1.0, nan, 3.0])
    table = json.loads(get(viewer, "table/1/1")[2])
    assert table == {"columns": ["a", "b"], "rows": [[1, "nan"], ["x", None]], "left_off": 0}
    chart = json.loads(get(viewer, "chart/2?width=100")[2])
    (line,) = chart["lines"]
    assert line == {"name": "train", "x": [1, 2, 3], "y": [1, None, 3], "gaps": [2], "count": 3, "nan": 1}


@pytest.mark.parametrize(
    "query", ["", "?width=nan", "?width=-5", "?width=1e300", "?from=x&to=inf", "?width=%ff", "?a" * 500]
)
def test_nonsense_asked_of_a_chart_does_no_harm(viewer: Viewer, query: str) -> None:
    viewer.put(Chart("c", "loss"))
    viewer.extend("c", "train", [1, 2], [1, 2])
    assert get(viewer, f"chart/1{query}")[0] == 200
    assert get(viewer, f"chart/2{query}")[0] == 404
    assert get(viewer, f"chart/{'9' * 50}{query}")[0] == 404
