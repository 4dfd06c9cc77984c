"""The probes under every POSIX shell that this machine has: the same questions, the same answers."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd import facts
from x11fwd.facts.answers import Answers, parse_answers
from x11fwd.facts.parse import parse_remote
from x11fwd.facts.remote import probe_text
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts

SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "bash-as-sh": ("bash",),
    "busybox": ("busybox", "sh"),
    "mksh": ("mksh",),
    "ksh": ("ksh",),
    "zsh": ("zsh", "--emulate", "sh"),
}
NONCE = "f00d"
FACTS = Path(facts.__file__).parent  # of the package that is tested, installed or not


def shell(name: str) -> tuple[str, ...]:
    words = SHELLS[name]
    path = shutil.which(words[0])
    if path is None:
        pytest.skip(f"this machine has no {words[0]}")
    return (path, *words[1:])


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), "LOGNAME": "root", **more}


def few_seconds_of_work() -> None:
    """For what comes of this process, each: processor time, so a busy machine makes no difference."""
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))


def ask(words: tuple[str, ...], home: Path, *arguments: str, **more: str) -> Answers:
    done = subprocess.run(
        [*words, "-s", NONCE, *arguments],
        input=probe_text(),
        capture_output=True,
        env=environment(home, **more),
        timeout=240,
        check=False,
        preexec_fn=few_seconds_of_work,
    )
    assert done.stderr == b""
    assert done.returncode == 0
    return parse_answers(done.stdout, NONCE)


def stable(answers: Answers) -> RemoteFacts:
    """What must not depend on the shell: all but this moment's free space, listeners and programs."""
    facts = parse_remote(answers, x11=X11Outcome())
    assert isinstance(facts.home.free_bytes, int)
    return replace(
        facts,
        home=replace(facts.home, free_bytes=0),
        network=replace(facts.network, listeners=()),
        account=replace(facts.account, lasting=()),
    )


@pytest.fixture(scope="module")
def said_by_dash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RemoteFacts]:
    home = tmp_path_factory.mktemp("home")
    return home, stable(ask(shell("dash"), home))


@pytest.mark.parametrize("name", [name for name in SHELLS if name != "dash"])
def test_every_shell_gives_the_answers_that_dash_gives(
    name: str, said_by_dash: tuple[Path, RemoteFacts]
) -> None:
    home, expected = said_by_dash
    assert stable(ask(shell(name), home)) == expected


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_runs_the_small_local_probe(name: str) -> None:
    done = subprocess.run(
        [*shell(name), "-s", NONCE],
        input=(FACTS / "local_probe.sh").read_bytes(),
        capture_output=True,
        env=environment(Path("/nonexistent")),
        timeout=120,
        check=False,
    )
    assert done.stderr == b""
    assert parse_answers(done.stdout, NONCE).first("system.uname")


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_without_timeout_still_stops_what_hangs(name: str, tmp_path: Path) -> None:
    """Old busybox and macOS have no `timeout` that takes -k; the shell then watches by itself."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("timeout", "xauth"):
        (tools / tool).write_text(
            "#!/bin/sh\nexec sleep 300\n" if tool == "xauth" else "#!/bin/sh\nexit 125\n"
        )
        (tools / tool).chmod(0o755)
    text = probe_text().replace(
        b'x_limit 5 "$x_xauth" -i -n -f /dev/null version', b'x_limit 0.2 "$x_xauth" version'
    )
    done = subprocess.run(
        [*shell(name), "-s", NONCE],
        input=text,
        capture_output=True,
        env={**environment(tmp_path), "PATH": f"{tools}:/usr/bin:/bin"},
        timeout=120,
        check=False,
    )
    answers = parse_answers(done.stdout, NONCE)
    assert answers.why("xauth.version") is not None
    assert answers.first("rights")


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    ask(shell("dash"), tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_home_that_takes_no_file_is_not_writable_and_says_why(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    home = parse_remote(ask(shell("dash"), tmp_path), x11=X11Outcome()).home
    assert home.writable is False
    assert "Permission denied" in home.problem


def test_a_home_that_is_missing_is_said_to_be_missing(tmp_path: Path) -> None:
    facts = parse_remote(ask(shell("dash"), tmp_path / "gone", TMPDIR=str(tmp_path)), x11=X11Outcome())
    assert not facts.home.exists
    assert facts.home.problem == f"{tmp_path / 'gone'} is not there"


def test_a_home_with_blanks_and_quotes_in_its_name_is_no_trouble(tmp_path: Path) -> None:
    home = tmp_path / 'o\'a "b" $(touch x) *'
    home.mkdir()
    (home / ".Xauthority").write_bytes(b"")
    facts = parse_remote(ask(shell("dash"), home), x11=X11Outcome())
    assert facts.home.path == str(home)
    assert facts.home.writable is True
    assert facts.authority is not None
    assert facts.authority.exists
    assert facts.authority.entries == ()
    assert not list(tmp_path.glob("**/x"))


def test_a_python_that_is_named_comes_first(tmp_path: Path) -> None:
    facts = parse_remote(ask(shell("dash"), tmp_path, sys.executable), x11=X11Outcome())
    assert facts.python is not None
    assert (facts.python.path, facts.python.found_by) == (sys.executable, "--python")
    assert facts.python.version == ".".join(map(str, sys.version_info[:3]))


def test_a_python_that_is_named_and_missing_is_named_as_missing(tmp_path: Path) -> None:
    facts = parse_remote(ask(shell("dash"), tmp_path, "/opt/no such/python3"), x11=X11Outcome())
    assert facts.python is not None
    assert facts.python.path == "/opt/no such/python3"
    assert facts.python.problem == "there is no program /opt/no such/python3"
    assert facts.python.matplotlib.reason == "not asked"  # type: ignore[union-attr]


NOISE = "yes welcome to the cluster | head -c 499000; echo no; echo such; printf last"
LATE = f'{NOISE}; printf "%s!late\\nbye" $4'  # the fourth word is the nonce


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        pytest.param("dash", f"{NOISE}; yes | tr -d '\\n'", "lasty", id="no end"),
        pytest.param("dash", NOISE, "last", id="much"),
        pytest.param("dash", "exit 1", "it printed nothing", id="nothing"),
        *(pytest.param(name, LATE, "late", id=f"an answer at last, {name}") for name in SHELLS),
    ],
)
def test_a_python_that_talks_costs_little_work_and_is_quoted(
    name: str, line: str, problem: str, tmp_path: Path
) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{line}\n")
    python.chmod(0o755)
    facts = parse_remote(ask(shell(name), tmp_path, str(python)), x11=X11Outcome())
    assert facts.python is not None
    assert facts.python.path == str(python)
    assert facts.python.problem is not None
    assert facts.python.problem.startswith(problem)
    assert len(facts.python.problem) <= 400


@pytest.mark.parametrize("name", SHELLS)
def test_a_start_file_that_exports_what_is_read_only_elsewhere_stops_no_shell(
    name: str, tmp_path: Path
) -> None:
    lines = "export UID EUID GID=7 PPID GROUPS SHELLOPTS BASHOPTS A='it'\"'\"'s\n=two lines'\n"
    (tmp_path / ".bash_profile").write_text(lines + "export MPLBACKEND='a b$c'\n")
    facts = parse_remote(ask(shell(name), tmp_path), x11=X11Outcome())
    assert isinstance(facts.login_environment, dict), facts.login_environment
    assert facts.login_environment["MPLBACKEND"] == "a b$c"
    assert facts.python is not None
    assert facts.python.version


def test_secrets_in_the_environment_stay_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [*shell("dash"), "-s", NONCE],
        input=probe_text(),
        capture_output=True,
        env=environment(tmp_path, API_TOKEN="tell-nobody", DISPLAY="nowhere:99"),
        timeout=60,
        check=False,
    )
    assert b"tell-nobody" not in done.stdout
    assert b"DISPLAY=nowhere:99" in done.stdout


@pytest.mark.parametrize("scripts", ["probe/*.sh", "local_probe.sh"])
def test_shellcheck_has_nothing_to_say(scripts: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("this machine has no shellcheck")
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(FACTS.glob(scripts)))
    done = subprocess.run(
        ["shellcheck", "-s", "sh", "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
