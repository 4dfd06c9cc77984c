"""What is sent to the remote: quoting, the engine's text, and that no shell stumbles over it."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files

import pytest

from tests.unit.engine.rig import SHELLS
from x11fwd.steps.plan import (
    Change,
    ChangeSshd,
    ControlService,
    InstallInEnvironment,
    InstallPackages,
    PackageCommands,
    RunCommand,
    WriteFile,
)
from x11fwd.steps.script import boot_text, engine_text, kind_of, script_for

FILE = WriteFile("/etc/it's here", b"a\n", None)
SSHD = ChangeSshd(
    FILE,
    "/usr/sbin/sshd",
    "/etc/ssh/sshd_config",
    False,
    (("x11forwarding", "yes"),),
    "user=ana",
    (("kill", "-HUP", "{pid}"),),
)
APT = PackageCommands(
    "apt", ("list", "some"), ("list", "all"), ("refresh",), ("apt-get", "install"), ("dpkg", "--purge")
)
ACTIONS = {
    "write": FILE,
    "sshd": SSHD,
    "packages": InstallPackages(APT, ("xauth", "python3-tk")),
    "environment": InstallInEnvironment("/env/bin/python", "pip", "/env", ("matplotlib>=3.5",)),
    "service": ControlService("ssh", "enabled", (("systemctl", "enable", "ssh"),)),
    "command": RunCommand(("test", "-e", "/x"), ("touch", "/x"), ("rm", "/x")),
}


def change(action: object) -> Change:
    return Change("an-id", "A title", action, become=True)  # type: ignore[arg-type]


def answers(shell: str, script: str, *, action: object) -> str:
    """What a piece of shell prints with an action's variables and functions before it."""
    whole = script_for("n", {}, change(action)).decode().partition("# action ends")[0]
    done = subprocess.run(
        [*SHELLS[shell], "-c", f"{whole}\n{script}"], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("kind", list(ACTIONS))
def test_every_kind_of_action_has_its_word(kind: str) -> None:
    assert kind_of(ACTIONS[kind]) == kind  # type: ignore[arg-type]


@pytest.mark.parametrize("shell", list(SHELLS))
@pytest.mark.parametrize("kind", list(ACTIONS))
def test_every_script_can_be_read_by_every_shell(shell: str, kind: str) -> None:
    script = script_for("n", {"op": kind}, change(ACTIONS[kind]))
    assert script.endswith(b"# @n complete\n")
    subprocess.run([*SHELLS[shell], "-n"], input=script, check=True)
    for part in ("rights", "spool"):
        subprocess.run([*SHELLS[shell], "-n"], input=boot_text(part).encode(), check=True)


def test_shellcheck_has_nothing_to_say() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not here")
    folder = files("x11fwd.steps") / "engine"
    pieces = sorted(piece.name for piece in folder.iterdir() if piece.name.endswith(".sh"))
    whole = "#!/bin/sh\n" + "".join((folder / name).read_text(encoding="utf-8") for name in pieces)
    # SC2154: the action's variables are assigned by script.py
    check = ["shellcheck", "-s", "sh", "-S", "warning", "-e", "SC2154", "-"]
    done = subprocess.run(check, input=whole, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    for part in ("rights", "spool"):
        text = (folder / "boot" / f"{part}.sh").read_text(encoding="utf-8")
        done = subprocess.run(check, input=text, capture_output=True, text=True, check=False)
        assert done.stdout == ""


def test_the_engine_is_plain_ascii_and_its_remarks_stay_here() -> None:
    assert engine_text().isascii()
    assert not [line for line in engine_text().splitlines() if line.startswith("#")]


@pytest.mark.parametrize("shell", list(SHELLS))
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a", bytes(range(256)) * 40, b"%s \\n \\\\ 'x' \"y\"\n", "é\n".encode() * 5000]
)
def test_content_comes_out_as_it_went_in(shell: str, content: bytes) -> None:
    whole = script_for("n", {}, change(WriteFile("/x", content, None))).partition(b"# action ends")[0]
    done = subprocess.run(SHELLS[shell], input=whole + b"\nput_content\n", capture_output=True, check=True)
    assert done.stdout == content


@pytest.mark.parametrize("shell", list(SHELLS))
def test_arguments_stay_whole_and_the_pid_is_put_in(shell: str) -> None:
    reload = (("printf", "<%s>", "a b", "it's", "$HOME", "{pid}", "x{pid}y"), ("true",))
    action = ChangeSshd(FILE, "/s", "/c", False, (), "user=ana", reload)
    script = "pid=42; reload_1; reload_1_needs_pid && echo needs; reload_2_needs_pid || echo not"
    expected = "<a b><it's><$HOME><42><x42y>needs\nnot\n"
    assert answers(shell, script, action=action) == expected


def test_a_title_is_one_line_and_a_path_with_odd_bytes_survives() -> None:
    action = WriteFile("/home/\udce9/rc", b"", None)
    script = script_for("n", {}, Change("id", "two\nlines", action, become=False))
    assert b"x_title='two lines'" in script
    assert b"/home/\xe9/rc" in script


def test_pip_keeps_the_versions_that_are_there_and_never_asks() -> None:
    text = script_for("n", {}, change(ACTIONS["environment"])).decode()
    assert 'pip --disable-pip-version-check --no-input install --constraint "$run/before" "$@"' in text


def test_conda_keeps_the_versions_that_are_there() -> None:
    action = InstallInEnvironment("/env/bin/python", "conda", "/env", ("matplotlib",), tool="/opt/mamba")
    text = script_for("n", {}, change(action)).decode()
    assert "/opt/mamba install --yes --prefix /env --freeze-installed" in text


def test_variables_of_the_package_manager_reach_it_through_env() -> None:
    commands = PackageCommands(
        "dnf",
        ("rpm",),
        ("rpm", "-qa"),
        (),
        ("dnf", "install"),
        ("dnf", "remove"),
        environment=(("A", "b c"),),
    )
    text = script_for("n", {}, change(InstallPackages(commands, ("xauth",)))).decode()
    assert "install_names() { env 'A=b c' dnf install \"$@\"; }" in text
    assert "refresh_lists() { :; }" in text
    assert "simulate_install()" not in text.partition("# action ends")[0]
