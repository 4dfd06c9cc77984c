"""`x11fwd jupyter` with a real booted host, JupyterLab from PyPI and Chromium, in fair weather and foul."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.test_playbooks import give_pip_this_machines_way_out
from tests.lab.browser import Browser
from tests.lab.hosts import BootedHost, ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.reach import claim_port
from tests.lab.relay import Relay
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.browser import Tab

pytestmark = pytest.mark.xdist_group("jupyter")  # they share a host, on which JupyterLab is installed once

PICTURES = Path(os.environ["X11FWD_PICTURES"]) if os.environ.get("X11FWD_PICTURES") else None
PLOT = """\
import matplotlib.pyplot as plt
import numpy as np

answer = 41
x = np.linspace(0, 10, 400)
plt.figure(figsize=(6, 2.5))
plt.fill_between(x, np.exp(-x / 4) * (1.2 + np.sin(3 * x)), color="#1f77b4")
plt.title("drawn on the host");
"""
# how many pixels of the cell's picture are blue
LOOK = """(async () => {
    const picture = document.querySelector('.jp-OutputArea-output img');
    if (!picture) return 0;
    await picture.decode();
    const canvas = document.createElement('canvas');
    canvas.width = picture.naturalWidth; canvas.height = picture.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let at = 0; at < data.length; at += 4)
        if (data[at] === 0x1f && data[at + 1] === 0x77 && data[at + 2] === 0xb4) found += 1;
    return found; })()"""
RUN = '[data-command="notebook:run-cell-and-select-next"]'
# The program with less patience: people's lines may be silent for 12 s.
IMPATIENT = """\
import sys
from x11fwd.cli import main
from x11fwd.notebook import line
from x11fwd.pipeline import jupyter
jupyter._SILENT, jupyter._BACK_OFF, line._PULSE = 6.0, (0.2,), 0.5
sys.exit(main(sys.argv[1:]))
"""
BROWSER = """\
#!/bin/sh
f=${1#file://}
stat -c %a "$f" > ~/mode; cp "$f" ~/page; mv ~/page ~/opened
"""


class Desk:
    """A person, a host that allows no forwarding, and JupyterLab on it by `--install`."""

    def __init__(self, stack: ExitStack) -> None:
        self.host = stack.enter_context(
            BootedHost("bookworm", "plot", Setup(sshd_config="AllowTcpForwarding no"))
        )
        self.host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "python3-venv"])
        give_pip_this_machines_way_out(self.host)
        notify = "/home/ana/.jupyter/lab/user-settings/@jupyterlab/apputils-extension"
        self.host.check(["mkdir", "-p", notify, "/home/ana/work"], user="ana")
        # Lab asks whether it may fetch news: over the picture
        news = json.dumps({"fetchNews": "false"})
        self.host.write(f"{notify}/notification.jupyterlab-settings", news, user="ana")
        cells = [PLOT.strip(), "print(answer + 1)", "print(answer * 2)"]
        code: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        notebook = {
            "cells": [{**code, "id": f"cell{at}", "source": text} for at, text in enumerate(cells)],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        self.host.write("/home/ana/work/plot.ipynb", json.dumps(notebook), user="ana")
        self.person = stack.enter_context(Person())
        self.person.alias("gpu", self.host)

    def run(self, *words: str, rc: int = 0, **more: Any) -> str:
        """Run it to its end. Returns both streams."""
        ran = self.person.run(self.person.x11fwd("jupyter", *words), timeout=400, **more)
        assert ran.rc == rc, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def servers(self, *words: str) -> list[dict[str, Any]]:
        answer = json.loads(self.run("--list", "--json", *(words or ("gpu",))))
        found: list[dict[str, Any]] = answer["servers"]
        return found

    @contextmanager
    def open(self, *words: str, argv: list[str] | None = None, **env: str) -> Iterator[Talk]:
        """While it goes on."""
        pipe = subprocess.PIPE
        command = (argv or self.person.x11fwd()) + ["jupyter", *words]
        process = self.person.popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=env)
        try:
            yield Talk(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


class Talk:
    """What a running `x11fwd jupyter` says on stderr."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = ""

    def hears(self, pattern: str) -> str:
        """Read on until a line has it."""
        assert self.process.stderr is not None
        while True:
            line = self.process.stderr.readline().decode()
            assert line, self.said
            self.said += line
            if found := re.search(pattern, line):
                return found.group()

    def address(self) -> str:
        return self.hears(r"http://127\.0\.0\.1:\d+/\S+")

    def ctrl_c(self) -> str:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, self.said + err.decode()
        return err.decode()


@pytest.fixture(scope="module")
def desk(lab: ExitStack) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(stack)


@pytest.fixture(scope="module")
def with_lab(desk: Desk) -> Desk:
    """The desk once JupyterLab is there, whichever test comes first."""
    if not (desk.host.root / "home/ana/.local/share/x11fwd/jupyter/current").is_symlink():
        with desk.open("--install", "--no-browser", "gpu") as talk:
            talk.address()
    return desk


def status(address: str, token: str = "", data: bytes | None = None) -> int:
    """What the server answers to a question about its kernels."""
    base = address.partition("/lab")[0]
    headers = {"Authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(f"{base}/api/kernels", data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def token_of(address: str) -> str:
    return address.partition("token=")[2]


def process_lists(desk: Desk) -> str:
    """Every command line of this machine, and so of its hosts."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(found) + desk.host.check(["ps", "-ef"])


def test_lab_is_installed_and_plots_and_its_kernel_outlives_a_dead_line(desk: Desk, tmp_path: Path) -> None:
    opener = desk.person.write("browser", BROWSER, mode=0o755)
    with Relay(desk.host.port) as relay, Browser() as browser:
        desk.person.alias("far", desk.host, port=relay.port)
        words = ("--install", "--dir", "work/plot.ipynb", "far")
        argv = [str(desk.person.python), "-c", IMPATIENT]
        with desk.open(*words, argv=argv, BROWSER=str(opener)) as talk:
            talk.hears("Ctrl-C ends the forwarding")
            # the browser got a file for this user's eyes, and no list of processes and no line the token
            opened = desk.person.home / "opened"
            wait_for(opened.exists, limit=90, what="the browser was called")
            found = re.search(
                r"http://127\.0\.0\.1:\d+/lab/tree/work/plot\.ipynb\?token=\w{40,}", opened.read_text()
            )
            assert found, opened.read_text()
            address, token = found.group(), token_of(found.group())
            assert (desk.person.home / "mode").read_text() == "600\n"
            assert token not in talk.said
            assert token not in process_lists(desk)

            tab = browser.open(address)
            tab.wait(
                f"document.querySelector('{RUN}') && document.querySelectorAll('.jp-Cell').length === 3",
                limit=180,
            )
            tab.evaluate("window.never_reloaded = true")
            run_next(tab)
            tab.wait(LOOK, limit=180)
            assert tab.evaluate(LOOK) > 10_000
            picture(tab, tmp_path, "jupyter.png")

            relay.cut()
            talk.hears("is down")
            talk.hears("is back")
            run_next(tab)
            tab.wait(output("42"), limit=180)

            relay.freeze()
            talk.hears("is down")
            # a page that asks meanwhile waits, and is answered in the end
            tab.evaluate("window.asked = fetch('/api').then(answer => answer.status), 0")
            relay.thaw()
            talk.hears("is back")
            assert tab.evaluate("window.asked") == 200
            run_next(tab)
            tab.wait(output("82"), limit=180)
            assert tab.evaluate("window.never_reloaded")
            last = talk.ctrl_c()
        # the server outlives the connection, and comes back at the same address
        with desk.open("--no-browser", "--dir", "work/plot.ipynb", "far") as talk:
            assert talk.address() == address
            talk.ctrl_c()
    assert "goes on (pid " in " ".join(last.split())
    assert "`x11fwd jupyter --stop far` stops it" in " ".join(last.split())
    (server,) = desk.servers()
    assert (server["kernels"], server["ours"], server["kind"], server["socket"]) == (
        1,
        True,
        "JupyterLab",
        True,
    )

    # nothing of the token in what we wrote, on either side
    runtime = "/home/ana/.local/share/jupyter/runtime/"
    holders = desk.host.run(["grep", "-rlF", token, "/home/ana", "/tmp", "/var/log"]).stdout.split()
    assert [one for one in holders if not one.startswith(runtime)] == []
    kept = [one for one in desk.person.home.rglob("*") if one.is_file() and one != opened]
    assert not [one for one in kept if token in one.read_text("utf-8", "replace")]


def test_without_the_token_nobody_gets_in_and_ben_not_even_to_the_door(with_lab: Desk) -> None:
    desk = with_lab
    with desk.open("--no-browser", "--transport", "openssh", "gpu") as talk:
        address = talk.address()
        assert (status(address), status(address, token_of(address))) == (403, 200)
        assert status(address, "x" * 48) == 403
        assert status(address, token_of(address), b"{}") == 201  # a kernel
    door = desk.host.check(["sh", "-c", "echo /tmp/x11fwd-jupyter-*/server"]).strip()
    knock = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    assert "PermissionError" in desk.host.run(["python3", "-c", knock, door], user="ben").stderr
    assert desk.host.run(["python3", "-c", knock, door], user="ana").rc == 0
    # what kernels print goes over sockets of the same kind, and his own list is empty
    runtime = desk.host.root / "home/ana/.local/share/jupyter/runtime"
    kernels = [json.loads(one.read_text()) for one in runtime.glob("kernel-*.json")]
    assert {one["transport"] for one in kernels} == {"ipc"}
    assert runtime.stat().st_mode & 0o777 == 0o700
    desk.person.alias("bens", desk.host, user="ben")
    assert desk.servers("bens") == []


def test_a_jump_host_is_passed_and_the_wanted_port_taken(with_lab: Desk) -> None:
    desk = with_lab
    port, lock = claim_port()
    with lock, ChrootHost("bookworm", "bare") as jump:
        desk.person.alias("jump", jump)
        free = str(port)
        with desk.open("--no-browser", "-J", "jump", "--port", free, "gpu") as talk:
            address = talk.address()
            assert f"127.0.0.1:{free}/lab" in address
            assert status(address, token_of(address)) == 200
            taken = desk.run("--port", free, "gpu", rc=2)
            assert f"port {free} of this machine is taken" in taken


def test_a_server_that_somebody_started_by_hand_is_taken_and_stopped_only_when_meant(with_lab: Desk) -> None:
    desk = with_lab
    desk.run("--stop", "gpu")
    assert desk.host.run(["sh", "-c", "ls -d /tmp/x11fwd-jupyter-*"]).rc != 0
    python = "/home/ana/.local/share/x11fwd/jupyter/current/bin/python"
    port, lock = claim_port()
    lab = f"setsid {python} -m jupyterlab --no-browser --port {port} >lab.log 2>&1 </dev/null"
    desk.host.check(["su", "-", "ana", "-c", f"cd; {lab} & sleep 0.1"])
    runtime = desk.host.root / "home/ana/.local/share/jupyter/runtime"
    wait_for(lambda: bool(list(runtime.glob("jpserver-*.json"))), limit=180, what="the server is up")
    wait_for(lambda: len(desk.servers()) == 1, limit=180, what="it answers", every=0.2)
    (server,) = desk.servers()
    lock.close()
    assert (server["ours"], server["socket"], server["port"]) == (False, False, port)
    with desk.open("--no-browser", "gpu") as talk:
        talk.hears("was running")
        address = talk.address()
        assert status(address, token_of(address)) == 200
        # it ends while it is used
        assert "goes on, x11fwd did not start it" in " ".join(desk.run("--stop", "gpu", rc=1).split())
        assert "stopped JupyterLab" in desk.run("--stop", "--yes", "gpu")
        talk.hears("has ended")
        assert talk.process.wait(90) == 1
    assert desk.servers() == []


def test_an_interrupted_installation_leaves_nothing(desk: Desk) -> None:
    desk.person.alias("bens", desk.host, user="ben")
    place = ["sh", "-c", "ls -A ~ben/.local/share/x11fwd/jupyter; pgrep -u ben -af venv; true"]
    with desk.open("--install", "--no-browser", "bens") as talk:
        begun = desk.host.root / "home/ben/.local/share/x11fwd/jupyter"

        def under_way() -> bool:
            assert talk.process.poll() is None, talk.process.communicate()
            return begun.is_dir() and any(begun.iterdir())

        wait_for(under_way, limit=180, what="it is under way", every=0.05)
        talk.process.send_signal(signal.SIGINT)
        talk.process.communicate(timeout=120)
        assert talk.process.returncode == 130
    wait_for(lambda: desk.host.check(place) == "", limit=180, what="it is cleared away", every=0.05)


def test_a_machine_that_ends_all_at_logout_keeps_it_where_the_user_lingers(with_lab: Desk) -> None:
    desk = with_lab
    if desk.servers():
        desk.run("--stop", "gpu")
    desk.host.write("/etc/systemd/logind.conf.d/kill.conf", "[Login]\nKillUserProcesses=yes\n")
    desk.host.check(["systemctl", "restart", "systemd-logind"])
    with desk.open("--no-browser", "gpu") as talk:
        talk.hears("`loginctl enable-linger`")
        talk.address()
    wait_for(lambda: desk.servers() == [], limit=180, what="logind ended the server", every=0.2)
    desk.host.check(["loginctl", "enable-linger", "ana"])
    with desk.open("--no-browser", "gpu") as talk:
        talk.address()
        assert "loginctl" not in talk.said
    (server,) = desk.servers()
    group = desk.host.check(["cat", f"/proc/{server['pid']}/cgroup"])
    assert "user@2001.service" in group
    assert "session-" not in group
    desk.run("--stop", "gpu")
    desk.host.check(["loginctl", "disable-linger", "ana"])


def run_next(tab: Tab) -> None:
    """Run the notebook's next cell. Lab forgets one that is run while the kernel starts.

    What its kernel does, it does not know again before the first cell after a connection was lost.
    """
    bar = "document.querySelector('#jp-main-statusbar').innerText"
    tab.wait(f"/[|] (Idle|Unknown)/.test({bar}) && !document.querySelector('.jp-Dialog')", limit=180)
    tab.click(RUN)


def output(text: str) -> str:
    """True in the page once a cell has printed this."""
    found = "[...document.querySelectorAll('.jp-OutputArea-output pre')]"
    return f"{found}.some(one => one.innerText.trim() === '{text}')"


def picture(tab: Tab, folder: Path, name: str) -> None:
    """For the README where it is asked for, else to look at after a failure."""
    tab.screenshot((PICTURES or folder) / name)
