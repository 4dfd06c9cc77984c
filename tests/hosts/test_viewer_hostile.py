"""What a hostile page, document or title can do through the viewer in a real Chromium: nothing."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.browser import Browser
from tests.lab.viewer_items import figure, fill, opened
from x11fwd.viewer.items import Chart, Document, Note, Picture, Table
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
            tries = tab.wait("window.result", limit=180)
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
    end = time.monotonic() + 90
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
