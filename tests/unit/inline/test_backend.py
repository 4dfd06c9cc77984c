"""The backend in a Python of its own, as a script meets it: what comes out for unmodified scripts.

`X11FWD_TEST_MATPLOTLIBS` names more interpreters (`:` between them) that have other versions of matplotlib.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from x11fwd.inline.texts import backend_text, figure_data_text

if TYPE_CHECKING:
    from pathlib import Path

# read at import: the tests' clean environment takes the variable away
PYTHONS = [sys.executable, *filter(None, os.environ.get("X11FWD_TEST_MATPLOTLIBS", "").split(":"))]


@dataclass
class Seen:
    """A picture: what was said about it, and its bytes."""

    about: dict[str, object]
    data: bytes

    @property
    def title(self) -> object:
        return self.about["title"]

    @property
    def kind(self) -> object:
        return self.about["kind"]


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pictures(python: str, folder: Path, script: str, *, status: int = 0, limit: float = 240.0) -> list[Seen]:
    """Run a script with the backend and collect what it sends."""
    (folder / "x11fwd_inline.py").write_text(backend_text(), encoding="utf-8")
    path = os.path.relpath(folder / "s")  # a socket's name is short
    found: list[Seen] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(8)

        def read(peer: socket.socket) -> None:
            with peer, peer.makefile("rb") as file:
                while head := file.read(8):
                    words, size = struct.unpack("!II", head)
                    about, data = file.read(words), file.read(size)
                    if len(data) == size:
                        found.append(Seen(json.loads(about), data))

        readers: list[threading.Thread] = []

        over = threading.Event()

        def accept() -> None:
            while True:
                last = over.is_set()  # what the script began before its end may still wait here
                if select.select([server], [], [], 0.05)[0]:
                    readers.append(threading.Thread(target=read, args=(server.accept()[0],)))
                    readers[-1].start()
                elif last:
                    return

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "MPLBACKEND": "module://x11fwd_inline",
            "X11FWD_INLINE": str(folder / "s"),
            "PYTHONPATH": str(folder),
            "MPLCONFIGDIR": str(folder / "config"),
        }
        ran = subprocess.run(
            [python, "-W", "error:FigureCanvas", "-W", "error:Matplotlib", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
        over.set()
        accepting.join(90)
        assert ran.returncode == status, ran.stderr
        assert ran.stdout == ""
        for reader in readers:
            reader.join(90)
    return found


def test_a_blocking_show_sends_every_figure_once_and_counts_as_closed(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2, 3]); plt.title('one'); plt.figure('named'); plt.plot([3, 1]); plt.show()\n"
        "assert plt.get_fignums() == []\n"
        "plt.plot([2, 2]); plt.show()\n"
    )
    seen = pictures(python, tmp_path, script)
    titles = [one.title for one in seen]
    assert len(seen) == 3
    assert titles[0] == titles[2] == "Figure 1"
    assert "named" in str(titles[1])
    assert len({str(one.about["id"]) for one in seen}) == 3
    assert [one.about["label"] for one in seen] == ["one", "", ""]
    assert all(one.kind == "svg" and b"<svg" in one.data for one in seen)


INTERRUPTED = """
import socket, x11fwd_inline
import matplotlib.pyplot as plt
class Interrupted(socket.socket):
    times = 0
    def sendall(self, data):
        Interrupted.times += 1
        if Interrupted.times == 2:
            super().sendall(data[: len(data) // 2])
            raise KeyboardInterrupt
        super().sendall(data)
socket.socket = Interrupted
plt.plot([1, 2])
plt.title("before")
plt.pause(0.01)
plt.title("within")
try:
    plt.pause(0.01)
except KeyboardInterrupt:
    plt.title("after")
plt.show()
"""


def test_ctrl_c_in_the_midst_of_a_picture_spoils_none_of_the_next(python: str, tmp_path: Path) -> None:
    seen = sorted(pictures(python, tmp_path, INTERRUPTED), key=lambda one: int(str(one.about["frame"])))
    assert [one.about["label"] for one in seen] == ["before", "after"]
    assert seen[1].data.startswith(b"<?xml")


FORKED = """
import multiprocessing, x11fwd_inline
import matplotlib.pyplot as plt
def child():
    plt.plot([1, 2]); plt.title("child"); plt.show()
x11fwd_inline.WIRE.lock.acquire()  # another thread's picture is under way
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join(180)
x11fwd_inline.WIRE.lock.release()
process.kill()
"""


def test_a_process_forked_while_a_picture_is_under_way_shows_its_own(python: str, tmp_path: Path) -> None:
    assert [one.about["label"] for one in pictures(python, tmp_path, FORKED)] == ["child"]


def test_a_heavy_figure_is_a_png(python: str, tmp_path: Path) -> None:
    script = (
        "import numpy, matplotlib.pyplot as plt\n"
        "plt.scatter(*numpy.random.rand(2, 50000)); plt.figure(); plt.imshow(numpy.random.rand(500, 500))\n"
        "plt.figure(); plt.plot(numpy.arange(100000)); plt.show()\n"
    )
    seen = pictures(python, tmp_path, script)
    assert [one.kind for one in seen] == ["png"] * 3
    assert all(one.data.startswith(b"\x89PNG") for one in seen)


def test_every_state_of_a_loop_of_pauses_is_handed_over_and_the_last_one_stays(
    python: str, tmp_path: Path
) -> None:
    script = (
        "import matplotlib.pyplot as plt, time\n"
        "fig, ax = plt.subplots()\n"
        "for number in range(30):\n"
        "    ax.set_title('frame %d' % number); plt.pause(0.001)\n"
    )
    *moving, last = pictures(python, tmp_path, script)
    assert [one.about["label"] for one in moving] == [f"frame {number}" for number in range(30)]
    assert {(one.kind, len(one.data)) for one in moving} == {("rgba", 640 * 480 * 4)}
    assert (last.kind, last.about["label"], last.title) == ("svg", "frame 29", "Figure 1")


def test_a_clock_that_is_set_back_makes_no_pause_long(python: str, tmp_path: Path) -> None:
    script = (
        "import itertools, time\n"
        "hours = itertools.count()\n"
        "time.time = lambda: 4e9 - 3600 * next(hours)\n"
        "import matplotlib.pyplot as plt\n"
        "plt.title('a'); plt.pause(0.001); plt.title('b'); plt.pause(0.001)\n"
    )
    assert pictures(python, tmp_path, script)[-1].title == "Figure 1"


def test_a_script_that_is_killed_has_handed_over_its_last_state(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt, os\n"
        "for number in range(5):\n"
        "    plt.title('frame %d' % number); plt.pause(0.001)\n"
        "os._exit(0)\n"  # nothing at the end helps
    )
    assert pictures(python, tmp_path, script)[-1].about["label"] == "frame 4"


def test_a_figure_that_stays_brings_its_numbers(python: str, tmp_path: Path) -> None:
    (tmp_path / "x11fwd_figure_data.py").write_text(figure_data_text(), encoding="utf-8")
    script = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3], [2, 5, 4]); plt.show()\n"
    (seen,) = pictures(python, tmp_path, script)
    size = int(str(seen.about["numbers"]))
    figure = json.loads(zlib.decompress(seen.data[-size:]))
    assert figure["data"][0]["y"] == [2, 5, 4]
    assert seen.data[:-size].rstrip().endswith(b"</svg>")


def test_what_changed_after_it_was_saved_is_shown(python: str, tmp_path: Path) -> None:
    script = (
        "import io, matplotlib.pyplot as plt\n"
        "fig, ax = plt.subplots(); ax.plot([1]); plt.show(block=False)\n"
        "ax.set_title('later'); fig.savefig(io.BytesIO()); plt.show(block=True)\n"
    )
    seen = pictures(python, tmp_path, script)
    assert [one.about["label"] for one in seen] == ["", "later"]


def test_saving_still_works_in_every_format(python: str, tmp_path: Path) -> None:
    script = (
        "import io, matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\n"
        "for kind in ('png', 'svg', 'pdf'):\n"
        "    file = io.BytesIO(); plt.savefig(file, format=kind); assert file.getvalue()\n"
    )
    assert pictures(python, tmp_path, script) == []


def test_interactive_mode_shows_what_is_there_at_the_end(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "plt.ion(); plt.plot([1, 2]); plt.title('a'); plt.show(); plt.title('b')\n"
    )
    seen = pictures(python, tmp_path, script)
    assert [one.about["label"] for one in seen] == ["a", "b"]
    assert len({str(one.about["id"]) for one in seen}) == 1


def test_a_figure_is_shown_by_itself(python: str, tmp_path: Path) -> None:
    script = "import matplotlib.pyplot as plt\nfig = plt.figure(); plt.figure(); fig.show()\n"
    assert [one.title for one in pictures(python, tmp_path, script)] == ["Figure 1"]


def test_an_animation_runs_once_and_ends_with_its_last_frame(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "from matplotlib.animation import FuncAnimation\n"
        "fig, ax = plt.subplots(); line, = ax.plot([0, 1])\n"
        "def step(number):\n"
        "    ax.set_title('frame %d' % number); return line,\n"
        "kept = FuncAnimation(fig, step, frames=30, interval=20)\n"
        "plt.show()\n"
    )
    seen = pictures(python, tmp_path, script)
    assert len(seen) > 2
    assert seen[-1].about["label"] == "frame 29"


def test_an_animation_with_blitting_shows_what_was_blitted(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "from matplotlib.animation import FuncAnimation\n"
        "fig, ax = plt.subplots(); line, = ax.plot([0, 1])\n"
        "def step(number):\n"
        "    line.set_ydata([0, number / 20.0]); return line,\n"
        "kept = FuncAnimation(fig, step, frames=20, interval=20, blit=True)\n"
        "plt.show()\n"
    )
    seen = pictures(python, tmp_path, script)
    assert len(seen) > 2
    assert len({one.data for one in seen}) > 2


def test_a_draw_event_and_a_close_event_come_as_in_a_window(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "came = []\n"
        "fig = plt.figure()\n"
        "fig.canvas.mpl_connect('draw_event', lambda event: came.append('draw'))\n"
        "fig.canvas.mpl_connect('close_event', lambda event: came.append('close'))\n"
        "plt.show()\n"
        "assert came[0] == 'draw' and came[-1] == 'close', came\n"
    )
    assert len(pictures(python, tmp_path, script)) == 1


def test_processes_of_the_script_have_pictures_of_their_own(python: str, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "code = 'import matplotlib.pyplot as plt; plt.plot([1]); plt.show()'\n"
        "for count in range(2): subprocess.check_call([sys.executable, '-c', code])\n"
    )
    seen = pictures(python, tmp_path, script)
    assert len({str(one.about["id"]) for one in seen}) == 2


def test_without_anybody_who_looks_a_script_runs_to_its_end(python: str, tmp_path: Path) -> None:
    script = (
        "import os; os.environ['X11FWD_INLINE'] = '/nowhere'\n"
        "import matplotlib.pyplot as plt; plt.plot([1]); plt.show()\n"
    )
    assert pictures(python, tmp_path, script) == []


def test_a_script_that_fails_still_shows_what_it_had_shown(python: str, tmp_path: Path) -> None:
    script = (
        "import matplotlib.pyplot as plt\n"
        "plt.title('a'); plt.pause(0.001); plt.title('b'); plt.pause(0.001); raise SystemExit(3)\n"
    )
    seen = pictures(python, tmp_path, script, status=3)
    assert seen[-1].about["label"] == "b"
