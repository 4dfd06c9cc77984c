"""`x11fwd show` against real hosts: figures pickled there are zoomed here, and unpickled there alone."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.relay import Relay

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.lab.browser import Tab
    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.person import Person

# Run over there, by Debian's own Python and matplotlib. The pickle needs the module beside it to be opened.
MAKE = """
import pickle, sys
import matplotlib
matplotlib.use("Agg")
import numpy
from matplotlib import pyplot
from own_model import Model
high = float(sys.argv[1])
x = numpy.arange(50.0)
figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.5))
left.plot(x, high * numpy.exp(-x / 15), "o-", label="train")
left.plot(x, high * numpy.exp(-x / 20) + 0.1, label="validation")
left.set_xlabel("epoch")
left.set_ylabel("loss")
left.legend()
shown = right.imshow(numpy.add.outer(x, x), cmap="magma")
figure.colorbar(shown)
right.set_title("weights")
figure.suptitle("Run 7")
figure.note = Model(7)
with open("fig.pickle.part", "wb") as file:
    pickle.dump(figure, file)
import os
os.rename("fig.pickle.part", "fig.pickle")
colour = sys.argv[2]
plain = pyplot.figure(figsize=(2, 2), facecolor=colour)
plain.savefig("plain.png", facecolor=colour)
numpy.save("line.npy", numpy.sin(x))
"""
MALICIOUS = """
import os, pickle
class Evil:
    def __reduce__(self):
        return os.system, ("id -u > ~/ran; cat /etc/machine-id >> ~/ran",)
with open("evil.pickle", "wb") as file:
    pickle.dump(Evil(), file)
"""
# The program as it is, told of everything that is unpickled in its process (sys.addaudithook, Python 3.8).
AUDITED = """
import sys
def hear(event, arguments):
    if event == "pickle.find_class":
        sys.stderr.write("UNPICKLED %r\\n" % (arguments,))
sys.addaudithook(hear)
{more}
from x11fwd.cli import main
sys.exit(main())
"""
STAGE = "document.querySelector('.numbers .drawing')"


def until(true: Callable[[], bool], limit: float = 240.0) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def started(person: Person) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    """Starts `x11fwd show --no-browser …` and gives its process and the page's address."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str, more: str = "") -> tuple[subprocess.Popen[bytes], str]:
        argv = [str(person.python), "-c", AUDITED.format(more=more), "show", "--no-browser", *words]
        process = person.popen(argv)
        running.append(process)
        assert process.stderr is not None
        said = b""
        while not (found := re.search(rb"http://127\.0\.0\.1:\d+/\S+", said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        return process, found.group().decode()

    yield start
    for process in running:
        process.terminate()
        process.wait(90)
        assert process.stderr is not None
        assert b"UNPICKLED" not in process.stderr.read()


def drawn(host: BootedHost | ChrootHost, high: float, colour: str) -> None:
    host.write("/home/ana/own_model.py", "class Model:\n    def __init__(self, n):\n        self.n = n\n")
    rc, _, err = host.run(
        ["sh", "-c", 'cd ~ && python3 -c "$0" "$1" "$2"', MAKE, str(high), colour], user="ana"
    )
    assert rc == 0, err


def colour_of(tab: Tab, selector: str) -> list[int]:
    """The colour in the middle of a picture on the page."""
    script = f"""(() => {{ const image = document.querySelector({json.dumps(selector)});
        if (!image?.complete || !image.naturalWidth) return [];
        const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
        const pen = canvas.getContext('2d');
        pen.drawImage(image, image.naturalWidth / 2, image.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3); }})()"""
    found: list[int] = tab.evaluate(script)
    return found


def test_a_figure_pickled_there_is_zoomed_and_hovered_here_and_follows_its_file(
    person: Person,
    started: Callable[..., tuple[subprocess.Popen[bytes], str]],
    booted_host: Callable[..., BootedHost],
    tmp_path: Path,
) -> None:
    from tests.lab.browser import Browser

    host = booted_host("bookworm", "plot")
    person.alias("gpu", host)

    def files() -> set[str]:
        return {path.name for path in (host.root / "home/ana").iterdir()}

    drawn(host, 2.0, "#ff0000")
    before = files()
    process, address = started("gpu:fig.pickle", "gpu:plain.png", "gpu:*.npy", "gpu:later.csv")
    with Browser() as browser:
        tab = browser.open(address)
        tab.wait("document.querySelectorAll('.tile').length === 3", limit=180)
        assert "later.csv" in tab.wait("document.querySelector('.line')?.textContent")
        until(lambda: colour_of(tab, ".tile img[alt^='plain.png']") == [255, 0, 0])
        titles = tab.evaluate(
            "[...document.querySelectorAll('.tile .open')].map((one) => one.textContent).sort()"
        )
        assert titles == ["Run 7 (fig.pickle)", "line.npy", "plain.png"]

        tab.click(".tile .open[aria-label^='Run 7']")
        tab.wait(f"{STAGE} ?.querySelector('.main-svg')")
        lines: list[dict[str, Any]] = tab.evaluate(
            f"{STAGE}.data.map((one) => ({{...one, name: one.name ?? '', x: [...(one.x ?? [])], z: null}}))"
        )
        train = next(one for one in lines if one["name"] == "train")
        assert (len(train["x"]), train["x"][30], train["y"][0]) == (50, 30, 2.0)
        assert [one["name"] for one in lines if one["name"]] == ["train", "validation"]
        assert "heatmap" in [one["type"] for one in lines]

        where = f"""(() => {{ const all = {STAGE}._fullLayout; const box = {STAGE}.getBoundingClientRect();
            const at = (axis, value) => axis._offset + axis.l2p(value);
            return [box.left + at(all.xaxis, 20), box.top + at(all.yaxis, {train["y"][20]})]; }})()"""
        x, y = tab.evaluate(where)
        hovered = f"{STAGE}.querySelector('.hoverlayer .hovertext')?.textContent"

        def hover() -> bool:
            """Again until the drawing listens."""
            tab.mouse("mouseMoved", x - 2, y - 1)
            tab.mouse("mouseMoved", x, y)
            told.append(tab.evaluate(hovered) or "")
            return bool(told[-1])

        told: list[str] = []
        until(hover)
        assert "20" in told[-1]
        assert f"{train['y'][20]:.3f}"[:4] in told[-1]
        if os.environ.get("X11FWD_PICTURES"):
            tab.screenshot(Path(os.environ["X11FWD_PICTURES"]) / "show.png")
        tab.screenshot(tmp_path / "hover.png")

        ends = f"{STAGE}.layout.xaxis.range.map(Number)"
        first = tab.evaluate(ends)
        tab.drag((x - 60, y - 60), (x + 60, y + 60))
        tab.wait(f"{ends}[1] - {ends}[0] < {(first[1] - first[0]) / 2}")
        low, high = tab.evaluate(ends)
        assert low < 20 < high

        drawn(host, 3.0, "#0000ff")
        tab.wait(f"{STAGE}.data.find((one) => one.name === 'train').y[0] === 3")
        tab.press("Escape")
        until(lambda: colour_of(tab, ".tile img[alt^='plain.png']") == [0, 0, 255])
        host.write("/home/ana/later.csv", "step,loss\n1,0.5\n2,0.25\n", user="ana")
        tab.wait("document.querySelectorAll('.tile').length === 4")
        tab.wait("!document.querySelector('.line')")
        host.check(["rm", "/home/ana/plain.png"])
        assert "not there any more" in tab.wait("document.querySelector('.line')?.textContent")
        assert tab.evaluate("document.querySelectorAll('.tile').length") == 4
        tab.screenshot(tmp_path / "grid.png")
        print(tmp_path)
    process.terminate()
    until(lambda: "python" not in host.run(["ps", "-u", "ana", "-o", "comm="])[1])
    assert files() == before - {"plain.png"} | {"later.csv"}


def test_a_malicious_pickle_runs_there_as_its_user_and_never_here(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    person.alias("gpu", host)
    host.write("/etc/machine-id", "the-host-of-the-test\n")
    host.check(["sh", "-c", 'cd /home/ana && python3 -c "$0" && chmod 644 evil.pickle', MALICIOUS])
    argv = [str(person.python), "-c", AUDITED.format(more=""), "show", "--json", "gpu:evil.pickle"]
    ran = person.run(argv)
    assert ran.rc == 1, ran.stderr
    document = json.loads(ran.stdout)
    assert [(one["state"], one["why"]) for one in document["files"]] == [
        ("not shown", "it holds a builtins.int, which is no figure")
    ]
    user, machine = (host.root / "home/ana/ran").read_text(encoding="utf-8").splitlines()
    assert (user, machine) == (host.check(["id", "-u", "ana"]).strip(), "the-host-of-the-test")
    assert "UNPICKLED" not in ran.stderr
    assert not (person.home / "ran").exists()
    # a copy of it on this machine stays closed without a yes
    (person.home / "copy.pickle").write_bytes((host.root / "home/ana/evil.pickle").read_bytes())
    ran = person.run([*argv[:-1], "copy.pickle"])
    assert (ran.rc, "UNPICKLED" in ran.stderr) == (1, False)
    assert "--yes" in json.loads(ran.stdout)["files"][0]["why"]
    assert not (person.home / "ran").exists()


def test_a_line_that_goes_dead_is_taken_up_again_and_only_what_changed_comes(
    person: Person,
    started: Callable[..., tuple[subprocess.Popen[bytes], str]],
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    from tests.lab.browser import Browser

    host = new_chroot_host("bookworm", "bare")
    host.write("/home/ana/a.csv", "step,loss\n1,0.5\n", user="ana")
    host.write("/home/ana/b.csv", "step,loss\n1,0.5\n", user="ana")
    # the waits are minutes for people; the fault is the same
    shorter = "import x11fwd.pipeline.feed as f; f.SILENT, f.BACK_OFF = 5.0, (0.2,)"
    with Relay(host.port, delay=0.005) as relay, Browser() as browser:
        person.alias("far", host, port=relay.port)
        _, address = started("far:a.csv", "far:b.csv", more=shorter)
        tab = browser.open(address)
        tab.wait("document.querySelectorAll('.tile').length === 2", limit=180)
        stood = tab.evaluate("document.querySelectorAll('.tile')[1].textContent")
        relay.freeze()
        assert "down" in tab.wait("document.querySelector('.line')?.textContent", limit=180)
        host.write("/home/ana/a.csv", "step,loss\n1,0.5\n2,0.25\n", user="ana")
        relay.thaw()
        tab.wait("document.querySelector('.tile').textContent.includes('2 rows')", limit=180)
        tab.wait("!document.querySelector('.line')", limit=180)
        assert tab.evaluate("document.querySelectorAll('.tile')[1].textContent") == stood
