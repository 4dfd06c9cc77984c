"""The viewer's page in a real Chromium: live, by keyboard, on a phone, after a cut, attacked."""

from __future__ import annotations

import http.server
import io
import json
import math
import os
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.browser import Browser, Tab
from x11fwd.viewer.browser import open_browser
from x11fwd.viewer.items import Chart, Document, Note, Picture, Progress, Table
from x11fwd.viewer.server import Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

# X11FWD_TEST_SHOTS: a folder for the screenshots, to be looked at.
SHOTS = os.environ.get("X11FWD_TEST_SHOTS", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    with Viewer("train.py on gpu1") as one:
        yield one


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return Path(SHOTS) if SHOTS else tmp_path


def figure(turns: int, kind: str = "png", colour: str = "C0") -> bytes:
    """A plot as matplotlib makes it."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.4, 4.8))
    axes = drawn.subplots()
    axes.plot([math.sin(at / 10 * turns) for at in range(100)], color=colour)
    axes.set_title(f"turns = {turns}")
    out = io.BytesIO()
    drawn.savefig(out, format=kind)
    return out.getvalue()


def fill(viewer: Viewer) -> None:
    """One of each kind."""
    for turns in range(1, 4):
        viewer.put(
            Picture(f"p{turns}", f"Figure {turns}", figure(turns), "png", caption="a sine", group="Figures")
        )
    viewer.put(Picture("svg", "vector", figure(5, "svg"), "svg", group="Figures"))
    viewer.put(Picture("pdf", "report.pdf", figure(6, "pdf"), "pdf", group="Files"))
    viewer.put(
        Document("d", "doc", b"<h1>Page</h1><script>document.body.append('ran')</script>", group="Files")
    )
    rows = [(f"run {at}", at, 1 / (at + 1)) for at in range(1000)]
    viewer.put(Table("t", "runs.csv", ["name", "epoch", "loss"], rows, group="Files"))
    viewer.put(Chart("c", "loss", x_label="step", y_label="loss", log=True, group="Training"))
    chance, size = random.Random(1), 20_000
    ys = [3 * math.exp(-at / 6000) * (1 + 0.3 * chance.random()) for at in range(size)]
    ys[5000:5010] = [math.nan] * 10
    viewer.extend("c", "train", range(size), ys)
    viewer.extend("c", "val", range(0, size, 500), [3.3 * math.exp(-at / 6500) for at in range(0, size, 500)])
    viewer.put(Progress("g", "render", 31, 300, "31 figures/s, 9 s left"))
    viewer.put(Note("n", "gpu1", "connected again after 12 s", level="warning"))


def opened(tab: Tab, key: int) -> None:
    tab.evaluate(f"document.querySelector('.tile[data-key=\"{key}\"] .open').click()")
    tab.wait("document.getElementById('big').open")


def faults(tab: Tab) -> list[str]:
    """The console without plotly's try to add the styles of its maps, which the page's policy refuses."""
    return [line for line in tab.console if "plotly.js" not in line or "inline style" not in line]


def test_every_kind_is_drawn_light_dark_and_on_a_phone(browser: Browser, viewer: Viewer, shots: Path) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.colours("light")
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.wait("[...document.images].slice(0, 4).every(one => one.complete && one.naturalWidth > 100)")
    assert tab.evaluate("document.title") == "(8) train.py on gpu1"
    light = tab.screenshot(shots / "viewer-light.png")
    tab.colours("dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 24)"
    assert tab.screenshot(shots / "viewer-dark.png") != light
    tab.click("#theme")  # the switch is stronger than the system
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    tab.evaluate("window.scrollTo(0, 1e6)")
    tab.wait("document.querySelector('.tile.chart .main-svg')")
    tab.screenshot(shots / "viewer-chart-tile.png")
    tab.size(390, 800, phone=True)
    tab.evaluate("window.scrollTo(0, 0)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.screenshot(shots / "viewer-phone.png")
    opened(tab, 8)
    tab.wait("document.querySelector('#stage .main-svg .scatterlayer path')")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.screenshot(shots / "viewer-phone-chart.png")
    tab.evaluate("localStorage.clear()")
    assert faults(tab) == []
    tab.close()


def test_everything_can_be_done_by_keyboard(browser: Browser, viewer: Viewer, shots: Path) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.wait("document.querySelector('.tile img').naturalWidth")
    tab.press("Tab", 2)  # the switch of colours, then the tiles are one stop
    focused = "document.activeElement.closest('.tile')?.dataset.key"
    assert tab.evaluate(focused) == "1"
    assert tab.evaluate("document.activeElement.matches(':focus-visible')")
    tab.screenshot(shots / "viewer-focus.png")
    tab.press("ArrowRight")
    assert tab.evaluate(focused) == "2"
    tab.press("ArrowDown")
    assert tab.evaluate(focused) == "6"  # the tile below, in the next group
    tab.press("Home")
    assert tab.evaluate(focused) == "1"
    tab.press("Enter")
    tab.wait("document.getElementById('big').open && document.querySelector('.pane img').naturalWidth")
    scale = "Number(document.getElementById('percent').textContent.replace(' %', ''))"
    tab.wait(f"{scale} > 0")
    before = tab.evaluate(scale)
    tab.press("+", 4)
    assert tab.evaluate(scale) == pytest.approx(before * 1.25**4, rel=0.02)
    place = "document.querySelector('.pane img').style.transform"
    at = tab.evaluate(place)
    tab.press("ArrowRight")  # a zoomed picture moves
    assert tab.evaluate(place) != at
    assert tab.evaluate("document.getElementById('big-title').textContent") == "Figure 1"
    tab.screenshot(shots / "viewer-zoomed.png")
    tab.press("-")
    assert tab.evaluate(scale) == pytest.approx(before * 1.25**3, rel=0.02)
    tab.press("0")
    assert tab.evaluate(scale) == before
    tab.press("ArrowRight")
    tab.wait("document.getElementById('big-title').textContent === 'Figure 2'")
    tab.press("Escape")
    tab.wait("!document.getElementById('big').open")
    tab.wait(f"{focused} === '2'")  # where the person was
    assert faults(tab) == []
    tab.close()


def test_a_picture_is_zoomed_and_dragged_with_the_mouse(browser: Browser, viewer: Viewer) -> None:
    viewer.put(Picture("1", "one", figure(1), "png"))
    tab = browser.open(viewer.address)
    tab.wait("document.querySelector('.tile img')?.naturalWidth")
    tab.click(".tile .open")
    tab.wait("document.querySelector('.pane img')?.naturalWidth")
    for _ in range(5):
        tab.mouse("mouseWheel", 600, 400, deltaX=0, deltaY=-400)
    tab.wait("parseInt(document.getElementById('percent').textContent) > 500")
    place = "new DOMMatrix(document.querySelector('.pane img').style.transform).e"
    at = tab.evaluate(place)
    tab.drag((600, 400), (500, 350))
    assert tab.evaluate(place) == pytest.approx(at - 100, abs=3)
    tab.close()


def test_a_screen_reader_finds_names_roles_and_news(browser: Browser, viewer: Viewer) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.wait("document.querySelector('.tile.chart .drawing')?.getAttribute('aria-label')?.includes('points')")
    found = tab.accessible()
    for one in [
        ("heading", "train.py on gpu1"),
        ("region", "Figures"),
        ("button", "Figure 1, picture"),
        ("image", "Figure 1: a sine"),
        ("button", "loss, chart"),
        ("progressbar", "render"),
    ]:
        assert one in found, one
    assert any(role == "image" and "20,040 points, 10 not a number" in name for role, name in found)
    assert all(
        name
        for role, name in found
        if role in {"button", "image", "img", "slider", "checkbox"} and role != "image"
    )
    viewer.put(Note("e", "gpu1", "the loss is not a number", level="error"))
    tab.wait("document.getElementById('alert').textContent === 'gpu1: the loss is not a number'")
    viewer.put(Picture("new", "Figure 99", figure(1), "png"))
    tab.wait("document.getElementById('live').textContent === 'New: Figure 99'")
    tab.close()


def test_a_point_is_drawn_at_once_and_a_picture_changes_in_place(browser: Browser, viewer: Viewer) -> None:
    viewer.put(Picture("1", "one", figure(1), "png"))
    viewer.put(Chart("c", "loss"))
    viewer.extend("c", "train", [0], [0])
    tab = browser.open(viewer.address)
    tab.wait("document.querySelector('.tile.chart .main-svg')")
    tab.wait("document.querySelector('.tile img')?.naturalWidth === 640")
    tab.evaluate(
        "window.seen = 0; document.addEventListener('drawn', (event) => { window.seen = event.detail; })"
    )
    took = []
    for at in range(1, 21):
        began = time.monotonic()
        viewer.extend("c", "train", [at], [at * at])
        tab.wait(f"window.seen >= {at + 2}")
        took.append(time.monotonic() - began)
    median = sorted(took)[10]
    print(f"point to drawn: median {median * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")
    assert median < 1.0
    viewer.put(Picture("1", "one", figure(2, colour="red"), "png"))
    tab.wait("document.querySelector('.tile img').getAttribute('src') === 'picture/1/2'")
    assert faults(tab) == []
    tab.close()


def test_a_chart_has_a_log_scale_smoothing_zoom_and_hover(
    browser: Browser, viewer: Viewer, shots: Path
) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    opened(tab, 8)
    plot = "document.querySelector('#stage .drawing')"
    tab.wait(f"{plot}.data?.length === 3")
    assert tab.evaluate(f"{plot}.layout.yaxis.type") == "log"
    points = tab.evaluate(f"{plot}.data[0].x.length")
    assert points <= 2 * 2 * 1280 + 1  # at most two a pixel column
    assert tab.evaluate(f"{plot}.data[1].marker.symbol") == "x"  # the ten that are not a number
    tab.evaluate("document.querySelector('#stage input[type=checkbox]').click()")
    tab.wait(f"{plot}.layout.yaxis.type === 'linear'")
    tab.evaluate("""(() => {
        const slider = document.querySelector('#stage input[type=range]');
        slider.value = 0.9;
        slider.dispatchEvent(new Event('input'));
    })()""")
    tab.wait(f"{plot}.data.length === 5")
    tab.mouse("mouseMoved", 640, 400)
    tab.wait("document.querySelector('#stage .hoverlayer')?.textContent.includes('val')")
    tab.screenshot(shots / "viewer-chart.png")
    tab.drag((400, 300), (500, 300))  # a stretch of x: its own points are asked for
    tab.wait("performance.getEntriesByType('resource').some(one => one.name.includes('&from='))")
    tab.wait(f"{plot}.data[1].x.every((x, at, all) => !at || x >= all[at - 1])")
    assert faults(tab) == []
    tab.close()


def test_a_table_is_sorted_by_its_headings(browser: Browser, viewer: Viewer, shots: Path) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    opened(tab, 7)
    tab.wait("document.querySelectorAll('#stage tbody tr').length === 300")
    tab.evaluate("document.querySelectorAll('#stage th button')[2].click()")
    assert tab.evaluate("document.querySelector('#stage tbody td').textContent") == "run 999"
    assert tab.evaluate("document.querySelectorAll('#stage th')[2].getAttribute('aria-sort')") == "ascending"
    tab.screenshot(shots / "viewer-table.png")
    tab.close()


def test_a_tab_that_is_closed_and_opened_again_shows_the_same(browser: Browser, viewer: Viewer) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.close()
    again = browser.open(viewer.address)
    again.wait("document.querySelectorAll('.tile').length === 8")
    opened(again, 7)
    again.reload()  # and what was open is open
    again.wait(
        "document.getElementById('big').open"
        " && document.getElementById('big-title').textContent === 'runs.csv'"
    )
    end = time.monotonic() + 20
    while viewer.tabs != 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    again.close()


def test_two_viewers_at_once_do_not_mix(browser: Browser, viewer: Viewer) -> None:
    with Viewer("other") as other:
        viewer.put(Note("n", "first"))
        other.put(Note("n", "second"))
        tabs = [browser.open(one.address) for one in (viewer, other)]
        tabs[0].wait("document.querySelector('.line b')?.textContent === 'first'")
        tabs[1].wait("document.querySelector('.line b')?.textContent === 'second'")
        for tab in tabs:
            tab.close()


def test_the_page_says_that_the_program_has_gone_and_finds_it_again(
    browser: Browser, viewer: Viewer, shots: Path
) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.wait("document.getElementById('state').dataset.state === 'live'")
    # As when the program is stopped and the machine sleeps: connections end without a goodbye.
    cut_off(viewer)
    tab.wait("document.getElementById('state').dataset.state === 'lost'")
    tab.screenshot(shots / "viewer-lost.png")
    assert tab.evaluate("document.querySelectorAll('.tile').length") == 8
    token = viewer.address.split("/")[3]
    with Viewer("again", viewer.port, token=token) as again:
        again.put(Picture("x", "after the pause", figure(2), "png"))
        tab.wait("document.getElementById('state').dataset.state === 'live'")
        tab.wait("document.title === '(1) again'")  # another run: its things, none of the old
        again.close()
        tab.wait("document.getElementById('state').dataset.state === 'over'")
        tab.screenshot(shots / "viewer-over.png")
        assert tab.evaluate("document.querySelectorAll('.tile').length") == 1
    tab.close()


def test_a_cut_line_is_made_again_and_nothing_is_told_twice(browser: Browser, viewer: Viewer) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    tab.wait("document.getElementById('state').dataset.state === 'live'")
    tab.evaluate("document.querySelector('.tile').dataset.mine = 'yes'; 1")
    loop = viewer._loop
    assert loop is not None
    for connection in list(viewer._server.server_state.connections):
        loop.call_soon_threadsafe(connection.transport.abort)
    tab.wait("document.getElementById('state').dataset.state === 'lost'")
    viewer.put(Picture("meanwhile", "meanwhile", figure(2), "png"))
    viewer.remove("p2")
    tab.wait("document.getElementById('state').dataset.state === 'live'")
    tab.wait("[...document.querySelectorAll('.tile .open')].some(one => one.textContent === 'meanwhile')")
    tab.wait("document.title.startsWith('(8)')")
    assert tab.evaluate("document.querySelector('.tile').dataset.mine") == "yes"
    tab.wait("document.querySelector('.tile.chart .main-svg')")
    assert [line for line in faults(tab) if "ERR_" not in line] == []
    tab.close()


def test_a_chart_of_times_is_drawn_in_the_time_of_this_place_and_zoomed(
    browser: Browser, viewer: Viewer
) -> None:
    viewer.put(Chart("c", "loss", x_kind="time"))
    start = 1_750_000_000
    viewer.extend("c", "train", range(start, start + 10_000), range(10_000))
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 1")
    opened(tab, 1)
    plot = "document.querySelector('#stage .drawing')"
    tab.wait(f"{plot}.layout?.xaxis.type === 'date'")
    local = "new Date(1750000000000 - new Date(1750000000000).getTimezoneOffset() * 60000).toISOString()"
    tab.wait(f"{plot}.data[0].x[0] === {local}")
    tab.drag((400, 300), (500, 300))
    asked = (
        "performance.getEntriesByType('resource').map(one => one.name).find(one => one.includes('&from='))"
    )
    asked = tab.wait(asked)
    first = float(asked.partition("&from=")[2].partition("&")[0])
    assert start < first < start + 10_000
    tab.close()


@pytest.mark.parametrize(
    ("key", "name"), [(1, "Figure_1.png"), (4, "vector.svg"), (6, "doc.html"), (8, "loss.png")]
)
def test_what_is_shown_can_be_saved(browser: Browser, viewer: Viewer, key: int, name: str) -> None:
    fill(viewer)
    browser.call("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(browser.downloads)})
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 8")
    opened(tab, key)
    tab.wait("document.querySelector('#stage .main-svg, #stage iframe, #stage img')")
    tab.click("#save")
    end = time.monotonic() + 20
    while not (browser.downloads / name).is_file():
        assert time.monotonic() < end, list(browser.downloads.iterdir())
        time.sleep(0.05)
    assert (browser.downloads / name).stat().st_size > 10
    tab.close()


def cut_off(viewer: Viewer) -> None:
    """End the server without a word to its tabs."""
    application = viewer._application
    assert application is not None
    application.end = lambda: None  # type: ignore[method-assign]
    viewer._server.force_exit = True
    viewer.close()


class Hostile(http.server.BaseHTTPRequestHandler):
    """A page of another origin that tries everything on the viewer's port, with the token and without."""

    address = ""

    def do_GET(self) -> None:
        script = """
            const tries = [];
            const note = (name, got) => tries.push([name, got]);
            async function attempt(base) {
              for (const path of ["", "events", "picture/1/1", "chart/1", "page.js", "plotly.js"]) {
                for (const mode of ["cors", "no-cors"]) {
                  try {
                    const answer = await fetch(base + path, {mode});
                    note(`fetch ${mode} ${path}`, answer.type === "opaque" ? "" : await answer.text());
                  } catch (error) { note(`fetch ${mode} ${path}`, ""); }
                }
              }
              await new Promise((done) => {
                const image = new Image();
                image.onload = () => { note("image", "loaded"); done(); };
                image.onerror = () => { note("image", ""); done(); };
                image.src = base + "picture/1/1";
              });
              await new Promise((done) => {
                const script = document.createElement("script");
                script.onload = () => { note("script", "loaded"); done(); };
                script.onerror = () => { note("script", ""); done(); };
                script.src = base + "chart.js";
                document.head.append(script);
              });
              await new Promise((done) => {
                const source = new EventSource(base + "events");
                source.onmessage = source.onopen = () => { note("events", "open"); source.close(); done(); };
                source.onerror = () => { note("events", ""); source.close(); done(); };
              });
              await new Promise((done) => {
                const frame = document.createElement("iframe");
                frame.onload = () => {
                  let got = "";
                  try { got = frame.contentDocument?.body?.textContent || ""; } catch { got = ""; }
                  note("frame", got + (frame.contentWindow.length ? "frames" : ""));
                  done();
                };
                frame.src = base;
                document.body.append(frame);
              });
            }
            (async () => {
              await attempt(BASE);
              await attempt(BASE.replace(/[^/]+\\/$/, "A".repeat(32) + "/"));
              window.result = tries;
            })();
        """
        body = (
            f"<!DOCTYPE html><body><script>const BASE = {json.dumps(self.address)};{script}</script>".encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing."""


def test_a_hostile_page_in_the_same_browser_gets_nothing(browser: Browser, viewer: Viewer) -> None:
    fill(viewer)
    good = browser.open(viewer.address)
    good.wait("document.querySelectorAll('.tile').length === 8")
    Hostile.address = viewer.address  # worse than it can be: it knows the token
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for name in ("127.0.0.1", "localhost"):
            tab = browser.open(f"http://{name}:{server.server_port}/")
            tries = tab.wait("window.result", limit=40)
            assert len(tries) == 2 * (12 + 4)
            assert [one for one in tries if one[1]] == []
            tab.close()
    finally:
        server.shutdown()
        server.server_close()
    assert good.evaluate("document.getElementById('state').dataset.state") == "live"
    good.close()


def test_a_document_runs_its_scripts_and_reaches_nothing_else(
    browser: Browser, viewer: Viewer, shots: Path
) -> None:
    page = b"""<!DOCTYPE html><h1>A figure</h1><script>
      const out = [self.origin, location.href.includes(TOKEN)];
      const may = (name, action) => { try { action(); out.push(name); } catch { } };
      may("storage", () => localStorage.setItem("a", "b"));
      may("cookie", () => { document.cookie = "a=b"; });
      may("parent", () => parent.document.title);
      may("top", () => { top.location = "http://127.0.0.1:1/"; });
      may("popup", () => { if (!window.open("http://127.0.0.1:1/")) throw 0; });
      const none = () => null;
      const image = new Promise((done) => {
        const one = new Image();
        one.onload = () => { out.push("image"); done(); };
        one.onerror = done;
        one.src = "BASEpicture/1/1";
      });
      const page = fetch("BASE").then(() => out.push("page"), none);
      const script = fetch("BASEpage.js").then(() => out.push("script"), none);
      Promise.all([page, script, image]).then(() => {
        document.body.append(JSON.stringify(out));
        parent.postMessage(out, "*");
        setTimeout(() => { location = "http://127.0.0.1:1/?leaving"; }, 100);
      });
    </script>"""
    token = viewer.address.split("/")[3]
    # worse than it can be: the document is told the secret that it does not get
    page = page.replace(b"TOKEN", json.dumps(token).encode()).replace(b"BASE", viewer.address.encode())
    viewer.put(Picture("1", "one", figure(1), "png"))
    viewer.put(Document("d", "interactive", page))
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 2")
    tab.evaluate("addEventListener('message', (event) => { window.said = event.data; }); 1")
    opened(tab, 2)
    frame = tab.wait("document.querySelector('#stage iframe')?.getAttribute('src')")
    assert token not in frame
    assert tab.evaluate("document.querySelector('#stage iframe').getAttribute('sandbox')") == "allow-scripts"
    assert tab.wait("window.said") == ["null", False]
    tab.screenshot(shots / "viewer-document.png")
    assert tab.evaluate("location.href").startswith(viewer.address)
    # and it cannot leave for anywhere with what it knows: the page's policy holds for its frames
    end = time.monotonic() + 20
    while not any("frame-src" in line or "Framing" in line for line in tab.console):
        assert time.monotonic() < end, tab.console
        time.sleep(0.05)
    tab.close()


def test_hostile_titles_are_text(browser: Browser, viewer: Viewer) -> None:
    bad = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    viewer.put(Picture("1", bad, figure(1), "png", caption=bad, group=bad))
    viewer.put(Table("2", bad, [bad], [(bad,)]))
    viewer.put(Note("3", bad, bad))
    viewer.put(Chart("4", bad, x_label=bad, y_label="<a href='http://127.0.0.1:1/'>x</a>"))
    viewer.extend("4", bad, [1, 2], [1, 2])
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='top.pwned=1'>"
    svg += b"<script>top.pwned=1</script></svg>"
    viewer.put(Picture("5", "svg", svg, "svg"))
    tab = browser.open(viewer.address)
    tab.wait("document.querySelectorAll('.tile').length === 4")
    tab.wait("document.querySelector('.tile.chart .main-svg')")
    opened(tab, 2)
    tab.wait("document.querySelector('#stage tbody td')")
    assert tab.evaluate("window.pwned") is None
    assert tab.evaluate("document.querySelectorAll('a[href^=http], image').length") == 0
    assert tab.evaluate("document.querySelector('.tile .open').textContent") == bad
    tab.close()


def test_nothing_is_loaded_from_anywhere_else(browser: Browser, viewer: Viewer) -> None:
    fill(viewer)
    tab = browser.open(viewer.address)
    tab.evaluate("window.scrollTo(0, 1e6)")
    tab.wait("document.querySelector('.tile.chart .main-svg')")
    origin = viewer.address.split("/")[2]
    assert tab.requests
    assert {
        one
        for one in tab.requests
        if one.split("/")[2:3] != [origin] and not one.startswith(("data:", "blob:"))
    } == set()
    tab.close()


def test_the_chart_library_is_loaded_only_for_a_chart(browser: Browser, viewer: Viewer) -> None:
    viewer.put(Picture("1", "one", figure(1), "png"))
    tab = browser.open(viewer.address)
    tab.wait("document.querySelector('.tile img')?.naturalWidth")
    assert not any("plotly" in one for one in tab.requests)
    tab.close()


def test_the_file_that_a_browser_is_started_with_leads_to_the_page(
    browser: Browser, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    program.chmod(0o755)
    assert open_browser(viewer.address, {"PATH": f"{tmp_path}:/usr/bin:/bin", "DISPLAY": ":1"})
    viewer.put(Note("n", "here"))
    tab = browser.open((tmp_path / "asked").read_text().strip())
    tab.wait("document.querySelector('.line b')?.textContent === 'here'")
    tab.close()
