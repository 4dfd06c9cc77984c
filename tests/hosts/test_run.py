"""`x11fwd run` against real hosts: the script's streams, its end, its windows and its pictures."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.browser import Browser
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.relay import Relay
from tests.lab.runs import LabError, in_time, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.host import Ran
    from tests.lab.person import Person
    from tests.lab.screen import Screen


PICTURES = os.environ.get("X11FWD_PICTURES", "")  # a folder for the pictures of the README


class Place:
    """A person, a host, and runs from one to the other."""

    def __init__(self, person: Person, host: ChrootHost, alias: str) -> None:
        self.person, self.host, self.alias = person, host, alias

    def argv(self, *words: str, folder: str = "work") -> list[str]:
        command = self.person.x11fwd("run", *words)
        return ["sh", "-c", f'cd "{folder}" && exec "$0" "$@"', *command]

    def run(self, *words: str, folder: str = "work", **more: object) -> Ran:
        return self.person.run(self.argv(*words, folder=folder), **more)  # type: ignore[arg-type]

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return self.person.popen(self.argv(*words), stdin=pipe, stdout=pipe, stderr=pipe)

    def script(self, name: str, text: str, folder: str = "work") -> None:
        self.person.write(f"{folder}/{name}", text)

    def leftovers(self) -> str:
        """Runs, temporary folders and Pythons of ours that are still there."""
        look = "ls -d ~ana/.cache/x11fwd/runs/* /tmp/x11fwd-* 2>/dev/null; pgrep -u ana -af '[p]ython'; true"
        return self.host.run(["sh", "-c", look]).stdout

    def clean(self) -> bool:
        return not self.leftovers()

    def nothing_left(self) -> None:
        """Soon: what is over for this side may still be ending over there."""
        with suppress(LabError):
            wait_for(self.clean, limit=240, what="the end", every=0.1)
        assert self.leftovers() == ""


@pytest.fixture(scope="module")
def hosts(lab: object) -> Iterator[dict[str, ChrootHost]]:
    """Hosts of this file by what they were made of: booted once."""
    made: dict[str, ChrootHost] = {}
    yield made
    for host in made.values():
        host.__exit__(None, None, None)


@pytest.fixture
def place(lab: object, person: Person, hosts: dict[str, ChrootHost]) -> Callable[..., Place]:
    """Gives a host, with Tk and matplotlib unless said otherwise."""

    def make(variant: str = "plot", *, x11_forwarding: bool = True, **setup: object) -> Place:
        chosen = Setup(x11_forwarding=x11_forwarding, **setup)  # type: ignore[arg-type]
        name = f"{variant} {chosen!r}"
        if name not in hosts:
            hosts[name] = ChrootHost("bookworm", variant, chosen).__enter__()
        return Place(person, hosts[name], person.alias("gpu", hosts[name]))

    return make


def test_output_errors_and_the_exit_status_are_the_scripts(place: Callable[..., Place]) -> None:
    here = place()
    here.script(
        "s.py", "import sys\nprint('out', sys.argv[1:])\nprint('err', file=sys.stderr)\nsys.exit(7)\n"
    )
    for transport in ("paramiko", "openssh"):
        ran = here.run("--transport", transport, here.alias, "s.py", "--flag", "a b")
        assert (ran.rc, ran.stdout, ran.stderr) == (7, "out ['--flag', 'a b']\n", "err\n")
    here.nothing_left()


def test_bytes_pass_unchanged_in_both_directions(place: Callable[..., Place]) -> None:
    here = place()
    here.script("echo.py", "import shutil, sys\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)\n")
    data = bytes(range(256)) * 8000
    process = here.begin(here.alias, "echo.py")
    out, err = process.communicate(data, timeout=240)
    assert (process.returncode, err) == (0, b"")
    assert out == data


def test_a_signal_is_128_and_its_number(place: Callable[..., Place]) -> None:
    here = place()
    here.script("k.py", "import os\nos.kill(os.getpid(), 9)\n")
    assert here.run(here.alias, "k.py").rc == 137


def test_ctrl_c_ends_the_whole_group_also_a_child_that_ignores_it(place: Callable[..., Place]) -> None:
    here = place()
    here.script(
        "c.py",
        "import subprocess, sys, time\n"
        "deaf = 'import signal, time\\n'\\\n"
        "    'signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN)\\n'\\\n"
        "    'print(\"up\", flush=True); time.sleep(999)'\n"
        "try:\n    subprocess.Popen([sys.executable, '-c', deaf])\n    time.sleep(99)\n"
        "except KeyboardInterrupt:\n    print('bye'); sys.exit(130)\n",
    )
    process = here.begin(here.alias, "c.py")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (130, b"bye\n", b"")
    here.nothing_left()


def test_a_script_that_ignores_ctrl_c_ends_with_the_second(place: Callable[..., Place]) -> None:
    here = place()
    here.script(
        "d.py",
        "import signal, time\nsignal.signal(2, lambda *_: print('no', flush=True))\n"
        "print('up', flush=True)\nwhile True: time.sleep(99)\n",
    )

    begun: list[subprocess.Popen[bytes]] = []

    def once() -> None:
        begun.append(here.begin(here.alias, "d.py"))
        stdout = begun[-1].stdout
        assert stdout is not None
        assert stdout.readline() == b"up\n"
        begun[-1].send_signal(signal.SIGINT)
        assert stdout.readline() == b"no\n"

    def twice() -> None:
        begun[-1].send_signal(signal.SIGINT)
        begun[-1].communicate(timeout=240)
        assert begun[-1].returncode == 143

    in_time(8, twice, before=once)  # unasked, SIGTERM comes after 10 s
    here.nothing_left()


SLEEPER = "import time\nfor number in range(400):\n    print(number, flush=True)\n    time.sleep(1)\n"


def test_a_cut_connection_ends_the_script_within_seconds(place: Callable[..., Place]) -> None:
    here = place()
    here.script("f.py", SLEEPER)
    with Relay(here.host.port) as relay:
        far = here.person.alias("far", here.host, port=relay.port)
        process = here.begin(far, "f.py")
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        relay.cut()
        _, err = process.communicate(timeout=240)
    assert process.returncode == 3
    assert b"was lost" in err
    wait_for(here.clean, limit=240, what="the script has ended", every=0.1)


# The same command with its times made short: signs of life every second, cut after some without one.
SHORT = (
    "import sys, x11fwd.pipeline.run_session as one; one._PULSE, one._SILENCE = 1.0, {silence}\n"
    "from x11fwd.cli import main; sys.exit(main())"
)


def short(here: Place, *words: str, silence: float) -> subprocess.Popen[bytes]:
    command = [str(here.person.python), "-c", SHORT.format(silence=silence), "run", *words]
    return here.person.popen(["sh", "-c", 'cd work && exec "$0" "$@"', *command])


def test_a_line_that_is_silent_for_a_while_loses_nothing(place: Callable[..., Place]) -> None:
    here = place()
    # ends when told to, after which nothing may be missing
    here.script("f.py", "import time\nfor number in range(70): print(number, flush=True); time.sleep(0.1)\n")
    with Relay(here.host.port) as relay:
        far = here.person.alias("far", here.host, port=relay.port)
        process = short(here, far, "f.py", silence=30)
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        relay.freeze()
        time.sleep(5)  # the length is the test: five signs of life are late, and it does not count as cut
        relay.thaw()
        out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (0, b"")
    assert out.split() == [str(number).encode() for number in range(1, 70)]


def test_a_line_that_stays_silent_ends_the_script(place: Callable[..., Place]) -> None:
    here = place()
    here.script("f.py", "import time\nprint('up', flush=True)\ntime.sleep(999)\n")
    with Relay(here.host.port) as relay:
        far = here.person.alias("far", here.host, port=relay.port)
        process = short(here, far, "f.py", silence=10)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        relay.freeze()
        wait_for(here.clean, limit=240, what="the script has ended", every=0.1)
        relay.cut()  # this side would notice by itself, later
        _, err = process.communicate(timeout=240)
    assert process.returncode == 3
    assert b"was lost" in err


def test_a_terminal_is_given_where_this_side_has_one(place: Callable[..., Place]) -> None:
    here = place()
    here.script(
        "t.py",
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGWINCH, lambda *_: print('now', *os.get_terminal_size()))\n"
        "print([one.isatty() for one in (sys.stdin, sys.stdout, sys.stderr)], *os.get_terminal_size())\n"
        "word = sys.stdin.readline()\n"
        "try:\n    print('said', word); time.sleep(99)\nexcept KeyboardInterrupt:\n    sys.exit(7)\n",
    )
    terminal = here.person.pty(here.argv(here.alias, "t.py"), rows=30, columns=100)
    terminal.read_until(r"\[True, True, True\] 100 30\r\n", limit=240)
    terminal.resize(20, 70)
    terminal.read_until("now 70 20")
    terminal.send("hello\r")
    terminal.read_until("said hello")
    terminal.send("\x03")
    assert terminal.wait() == 7
    terminal = here.person.pty(here.argv(here.alias, "t.py"), rows=30, columns=100)
    terminal.read_until("True, True, True", limit=240)
    terminal.send("~.")
    assert terminal.wait() in (130, 143)  # by SIGINT; a busy machine may need longer than the second it has
    terminal = here.person.pty(here.argv("-T", here.alias, "t.py"), rows=30, columns=100)
    terminal.read_until("Inappropriate ioctl", limit=240)
    assert terminal.wait() == 1
    here.nothing_left()


WINDOW = (
    "import matplotlib.pyplot as plt\n"
    "plt.figure(facecolor='#d62728')\n"
    "plt.gcf().canvas.manager.set_window_title('seen by run')\n"
    "plt.show()\n"
)


@pytest.mark.parametrize("via", ["native", "bridge"])
def test_an_unmodified_script_opens_its_window_here(
    via: str, place: Callable[..., Place], screen: Screen
) -> None:
    here = place(x11_forwarding=via == "native")
    here.script("w.py", WINDOW)
    process = here.begin("--via", via, here.alias, "w.py")
    try:
        wait_for(lambda: "seen by run" in screen.windows(), limit=240, what="a window")
        picture = here.person.home / "window.png"

        def red() -> bool:
            screen.screenshot(picture)
            words = [
                "convert",
                str(picture),
                "-fill",
                "white",
                "+opaque",
                "#d62728",
                "-unique-colors",
                "txt:",
            ]
            return "#D62728" in subprocess.run(words, capture_output=True, text=True, check=True).stdout

        wait_for(red, limit=240, what="its colour")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=240)
    here.nothing_left()


PLOTS = (
    "import matplotlib.pyplot as plt\n"
    "plt.plot([1, 2, 3]); plt.title('one'); plt.show()\n"
    "plt.figure('scatter'); plt.scatter(range(5000), range(5000)); plt.show()\n"
)


def test_pictures_of_an_unmodified_script_arrive(place: Callable[..., Place]) -> None:
    here = place()
    here.script("p.py", PLOTS)
    ran = here.run("--pictures", "seen", here.alias, "p.py", env={"DISPLAY": ""})
    assert (ran.rc, ran.stdout, ran.stderr) == (0, "", "")
    seen = here.person.home / "work/seen"
    assert sorted(path.name for path in seen.iterdir()) == ["Figure_1.svg", "scatter.png"]
    assert b"<svg" in (seen / "Figure_1.svg").read_bytes()
    assert (seen / "scatter.png").read_bytes().startswith(b"\x89PNG")


LIVE = (
    "import sys, matplotlib.pyplot as plt\n"
    "for number in range(5):\n"
    "    plt.cla(); plt.plot([0, number]); plt.title('frame %d' % number); plt.pause(0.3)\n"
    "sys.stdin.readline()\n"
    "import numpy as n; x = n.linspace(0, 10, 200)\n"
    "plt.figure('loss'); plt.xlabel('epoch'); plt.grid(True)\n"
    "plt.plot(x, n.exp(-x / 3), label='train'); plt.plot(x, n.exp(-x / 4) + 0.1, label='validation')\n"
    "plt.legend(); plt.figure('clusters'); r = n.random.RandomState(0)\n"
    "plt.scatter(*r.randn(2, 300), c=r.rand(300)); plt.colorbar()\n"
    "plt.figure('field'); plt.imshow(n.outer(n.sin(x), n.cos(x)), cmap='magma'); plt.show()\n"
)
LOADED = "[...document.querySelectorAll('img')].every(one => one.complete && one.naturalWidth > 0)"


def address_of(process: subprocess.Popen[bytes]) -> str:
    """The page's address as it is said."""
    assert process.stderr is not None
    said = b""
    while b"/\n" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    found = re.search(r"http://127\.0\.0\.1:\d+/\S+", said.decode().replace("\n", ""))
    assert found is not None, said
    return found[0]


def test_the_browser_shows_figures_live_and_closing_the_page_ends_it(
    place: Callable[..., Place], tmp_path: Path
) -> None:
    here = place()
    here.script("live.py", LIVE)
    process = here.begin("--inline", "--no-browser", here.alias, "live.py")
    other = here.begin("--inline", "--no-browser", here.alias, "live.py")  # two viewers at once
    address, second = address_of(process), address_of(other)
    assert process.stdin is not None
    assert process.stderr is not None
    with Browser((1280, 800)) as browser:
        tab, beside = browser.open(address), browser.open(second)
        tab.wait("document.querySelectorAll('img').length === 1")
        beside.wait("document.querySelectorAll('img').length === 1")
        tab.close()  # closed and opened again while it runs
        tab = browser.open(address)
        tab.wait("document.querySelectorAll('img').length === 1")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        tab.wait("document.querySelectorAll('img').length === 4")
        tab.wait(LOADED)
        assert "clusters" in str(tab.evaluate("document.body.innerText"))
        assert beside.evaluate("document.querySelectorAll('img').length") == 1
        pictures = Path(PICTURES) if PICTURES else tmp_path
        tab.size(1300, 390)
        tab.screenshot(pictures / "run-inline.png")
        tab.size(1000, 640)
        tab.click("li:nth-child(2) .open")
        tab.wait("document.querySelector('.numbers .drawing .main-svg')")
        assert tab.evaluate("document.querySelector('.legendtext').textContent") == "train"
        tab.screenshot(pictures / "run-inline-data.png")
        assert b"until their page is closed" in process.stderr.readline()
    process.communicate(timeout=120)
    other.send_signal(signal.SIGINT)
    other.communicate(timeout=240)
    assert (process.returncode, other.returncode) == (0, 130)
    here.nothing_left()


def test_without_matplotlib_there_a_sentence_says_so(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script("p.py", PLOTS)
    ran = here.run("--pictures", "seen", here.alias, "p.py")
    assert ran.rc == 1
    assert "has no matplotlib" in " ".join(ran.stderr.split())


def test_a_python_that_is_not_there_is_named(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script("p.py", "")
    ran = here.run("--python", "/opt/nope/bin/python", here.alias, "p.py")
    assert ran.rc == 1
    assert "there is no /opt/nope/bin/python on gpu" in ran.stderr


def test_where_sshd_refuses_windows_pictures_are_suggested(place: Callable[..., Place]) -> None:
    here = place(x11_forwarding=False)
    here.script("w.py", "import matplotlib\nmatplotlib.use('TkAgg')\n" + WINDOW)
    ran = here.run(here.alias, "w.py")
    assert ran.rc == 1
    assert "--inline" in ran.stderr


def test_names_with_spaces_and_letters_of_all_alphabets(place: Callable[..., Place]) -> None:
    here = place("bare")
    folder = "wörk ‘space’ $x"
    here.script("sc ript é.py", "import helper, sys; print(helper.x, sys.argv)", folder)
    here.script("helper.py", "x = 'äöü'", folder)
    ran = here.run(here.alias, "sc ript é.py", "'\"$\\", folder=folder.replace("$", "\\$"))
    assert (ran.rc, ran.stderr) == (0, "")
    assert ran.stdout == "äöü ['sc ript é.py', '\\'\"$\\\\']\n"


@pytest.mark.parametrize("shell", ["/usr/bin/tcsh", "/usr/bin/fish", "/usr/bin/zsh"])
def test_the_login_shell_may_be_any(shell: str, place: Callable[..., Place]) -> None:
    here = place("shells", login_shell=shell)
    here.script("s.py", "import sys\nprint(sys.stdin.read())\n")
    ran = here.run(here.alias, "s.py", input="hello")
    assert (ran.rc, ran.stdout, ran.stderr) == (0, "hello\n", "")


def test_only_changed_files_are_sent_and_git_says_which(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script(".gitignore", "*.log\n!kept.log\n")
    here.script("sub/.gitignore", "data/\n")
    for name in ("kept.log", "lost.log", "sub/a.txt", "sub/data/b.txt"):
        here.script(name, name)
    here.script(
        "tree.py",
        "import os\n"
        "names = [os.path.join(top, name) for top, _, names in os.walk('.') for name in names]\n"
        "print(sorted(os.path.relpath(name) for name in names))\n",
    )
    assert here.person.run(["git", "init", "-q", "work"]).rc == 0
    expected = "['.gitignore', 'kept.log', 'sub/.gitignore', 'sub/a.txt', 'tree.py']\n"
    assert here.run(here.alias, "tree.py").stdout == expected
    store = here.host.root / "home/ana/.cache/x11fwd/files"
    before = {path.name for path in store.rglob("*") if path.is_file()}
    here.script("sub/a.txt", "other")
    assert here.run(here.alias, "tree.py").stdout == expected
    after = {path.name for path in store.rglob("*") if path.is_file()}
    assert len(after - before) == 1


def test_files_come_back_and_newer_ones_here_stay(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script(
        "m.py",
        "import os\nos.makedirs('out', exist_ok=True)\n"
        "open('out/a.txt', 'w').write('made')\nopen('out/b.txt', 'w').write('made')\n"
        "os.symlink('/etc/passwd', 'out/c.txt')\nprint('up', flush=True)\ninput()\n",
    )
    here.script("out/old.txt", "old")
    process = here.begin("--sync", ".", "--fetch", "out/*.txt", here.alias, "m.py")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    here.script("out/b.txt", "mine")
    _, err = process.communicate(b"\n", timeout=90)
    out = here.person.home / "work/out"
    assert process.returncode == 0
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "a.txt": "made",
        "b.txt": "mine",
        "old.txt": "old",
    }
    assert b"fetched out/a.txt" in err
    assert b"not fetched: out/b.txt" in err


def test_a_full_disk_there_is_a_sentence_and_leaves_nothing(place: Callable[..., Place]) -> None:
    here = place("bare", disk_mb=64)
    here.script("s.py", "print('ran')\n")
    (here.person.home / "work/big.bin").write_bytes(b"".join(bytes([n]) * 1_000_000 for n in range(90)))
    ran = here.run("--sync", ".", here.alias, "s.py")
    assert ran.rc == 4, ran.stderr
    assert "No space left" in ran.stderr
    here.nothing_left()
    found = here.host.run(["sh", "-c", "find ~ana/.cache/x11fwd -size +100k"])
    assert found.stdout == ""


def test_a_large_project_is_not_sent_without_a_question(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script("s.py", "print('ran')\n")
    with (here.person.home / "work/big.bin").open("wb") as file:
        file.truncate(120 << 20)
    ran = here.run("--sync", ".", here.alias, "s.py")
    assert ran.rc == 2
    assert "126 MB" in ran.stderr
    assert here.run("--yes", "--sync", ".", here.alias, "s.py").stdout == "ran\n"


def test_keep_leaves_the_folder(place: Callable[..., Place]) -> None:
    here = place("bare")
    here.script("s.py", "open('made.txt', 'w').write('x')\n")
    ran = here.run("--keep", here.alias, "s.py")
    assert ran.rc == 0
    assert "~/.cache/x11fwd/projects/work-" in "".join(ran.stderr.split())
    assert len(list((here.host.root / "home/ana/.cache/x11fwd/projects").glob("*/made.txt"))) == 1
