"""The demo's way: what is missing is named, steps end at the first failure, nothing is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ChangeError
from x11fwd.pipeline import demo, demo_needs
from x11fwd.pipeline.demo import DemoOptions, DemoStep, run_demo
from x11fwd.pipeline.demo_needs import Equipment, Missing, install, look_around

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.pipeline.display import Ensured

KEEPER = """
import sys, time
from importlib import resources
from x11fwd.pipeline.demo_sandbox import KEEPER_ENDS
from x11fwd.transports.local import LocalTransport
script = resources.files("x11fwd.pipeline").joinpath("demo_keeper.sh").read_text("ascii")
stream = LocalTransport().stream(("sh", "-c", script, "keeper", *sys.argv[1:]), grace=KEEPER_ENDS)
print("up", flush=True)
time.sleep(600)
"""


# As a server ends on a busy machine, seconds after it was asked to.
SLOWLY = "trap 'sleep 2; exit' TERM; while :; do sleep 0.1; done"


class Told:
    def __init__(self) -> None:
        self.steps: list[DemoStep] = []

    def doing(self, text: str) -> None: ...

    def finished(self, step: DemoStep) -> None:
        self.steps.append(step)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_environ: object) -> Ensured:
        from x11fwd.pipeline.display import Ensured

        return Ensured(None, reason="DISPLAY is not set")

    monkeypatch.setattr(demo, "ensure_display", none)


MISSING = Missing(("Xvfb",), ("xvfb",), "apt-get install xvfb")


@pytest.mark.usefixtures("no_display")
def test_what_is_missing_is_named_and_not_installed_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    equipment = Equipment("/usr/sbin/sshd", "", "/usr/bin/python3", is_first=True, missing=MISSING)
    monkeypatch.setattr(demo, "look_around", lambda **_: equipment)
    monkeypatch.setattr(demo, "install", lambda *_: pytest.fail("nobody said yes"))
    asked: list[Missing] = []
    told = Told()

    def refuse(missing: Missing) -> bool:
        asked.append(missing)
        return False

    result = run_demo(DemoOptions(), None, told, refuse)  # type: ignore[arg-type]
    assert asked == [MISSING]
    assert result.missing == MISSING
    assert result.exit_code == 1
    assert [step.id for step in told.steps] == ["needs"]


@pytest.mark.usefixtures("no_display")
def test_what_is_still_missing_after_installing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    equipment = Equipment("/usr/sbin/sshd", "", "/usr/bin/python3", is_first=True, missing=MISSING)
    installed: list[Missing] = []
    monkeypatch.setattr(demo, "look_around", lambda **_: equipment)
    monkeypatch.setattr(demo, "install", lambda missing, _secret: installed.append(missing))

    class Prompter:
        def secret(self, _prompt: str) -> str | None:
            return None

    with pytest.raises(ChangeError, match="still missing"):
        run_demo(DemoOptions(), Prompter(), Told(), lambda _missing: True)  # type: ignore[arg-type]
    assert installed == [MISSING]


def test_programs_that_are_missing_have_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo_needs, "_PATH", str(tmp_path))
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\n")
    apt.chmod(0o755)
    monkeypatch.setattr(demo_needs, "_system", lambda: {"ID": "ubuntu", "ID_LIKE": "debian"})
    monkeypatch.setattr(demo_needs, "_python", lambda: ("/usr/bin/python3", True))
    missing = look_around(needs_screen=True).missing
    assert missing.packages == ("openssh-client", "openssh-server", "xauth", "xvfb")
    assert missing.command.endswith(
        "apt-get install --no-install-recommends openssh-client openssh-server xauth xvfb"
    )
    assert "start" in missing.note
    assert "xvfb" not in look_around(needs_screen=False).missing.packages


def test_on_an_unknown_system_the_programs_are_named_without_a_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo_needs, "_PATH", str(tmp_path))
    monkeypatch.setattr(demo_needs, "_system", lambda: {"ID": "plan9"})
    monkeypatch.setattr(demo_needs, "_python", lambda: ("/usr/bin/python3", True))
    missing = look_around(needs_screen=True).missing
    assert "Xvfb" in missing.programs
    assert (missing.packages, missing.command) == ((), "")
    with pytest.raises(ChangeError, match="does not know this system"):
        install(missing, lambda _prompt: None)


@pytest.mark.parametrize("ends", ["exec sleep 300", SLOWLY], ids=["at once", "slowly"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_keeper_ends_and_deletes_everything_when_the_demo_dies(
    number: int, ends: str, tmp_path: Path
) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "sshd_config").write_text("")
    server = tmp_path / "sshd"
    server.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid; {ends}\n")
    server.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(folder), str(server)], stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
    pid = int((tmp_path / "pid").read_text())
    process.send_signal(number)
    process.wait(90)
    until(lambda: not folder.exists())
    until(lambda: not is_alive(pid))


def test_a_keeper_that_is_told_to_end_before_it_noted_the_servers_number_ends_it(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    server = tmp_path / "sshd"
    server.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 300\n")
    server.chmod(0o755)
    script = resources.files("x11fwd.pipeline").joinpath("demo_keeper.sh").read_text("ascii")
    assert script.count("x_server=$!") == 1
    told = f"until [ -s {tmp_path}/pid ]; do sleep 0.05; done; kill -TERM $$; x_server=$!"
    words = ["sh", "-c", script.replace("x_server=$!", told), "keeper", str(folder), str(server)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as keeper:
        try:
            until(lambda: keeper.poll() is not None)
            assert not is_alive(int((tmp_path / "pid").read_text()))
        finally:
            keeper.kill()
            subprocess.run(["kill", (tmp_path / "pid").read_text().strip()], check=False, stderr=-3)
    assert not folder.exists()


def is_alive(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: object, limit: float = 90.0) -> None:
    assert callable(condition)
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)
