"""A host whose Python is as it was is spared the imports of matplotlib and Tk; after a change it is not."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.facts.test_probe_python import ask, interpreters
from x11fwd.facts.answers import Answers
from x11fwd.facts.model import ToolkitFacts, Unknown
from x11fwd.facts.remote import gather_remote
from x11fwd.facts.seen_before import SeenBefore
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable

# Stands for matplotlib, and counts how often it was imported.
FAKE = """\
import os
with open(os.environ["COUNT"], "a") as file:
    file.write("x")
__version__ = "3.8.0"
_folder = os.path.join(os.environ["HOME"], ".config", "matplotlib")
rcParams = {"backend": "agg", "backend_fallback": True, "interactive": False}
rcParamsOrig = rcParams
def matplotlib_fname():
    return os.path.join(os.path.dirname(__file__), "mpl-data", "matplotlibrc")
def get_configdir():
    return _folder
"""


class Desk:
    """A home and a folder of modules, and the questions to a Python that has them."""

    def __init__(self, place: Path, python: str = sys.executable) -> None:
        self.home, self.modules, self.count = place / "home", place / "modules", place / "count"
        self.python = python
        (self.modules / "matplotlib" / "mpl-data").mkdir(parents=True)
        (self.modules / "matplotlib" / "mpl-data" / "matplotlibrc").write_text("backend: agg\n")
        (self.modules / "matplotlib" / "__init__.py").write_text(FAKE)
        (self.modules / "matplotlib-3.8.0.dist-info").mkdir()
        (self.modules / "matplotlib-3.8.0.dist-info" / "METADATA").write_text(
            "Name: matplotlib\nVersion: 3.8.0\n"
        )
        (self.modules / "numpy" / "core").mkdir(parents=True)
        (self.modules / "numpy" / "core" / "_multiarray.so").write_bytes(b"one")
        self.home.mkdir()
        self.more: dict[str, str] = {}

    def ask(self, stamp: str) -> dict[str, Any]:
        environ = {"PYTHONPATH": str(self.modules), "COUNT": str(self.count), **self.more}
        return ask(self.home, self.python, X11FWD_STAMP=stamp, **environ)

    def imports(self) -> int:
        return len(self.count.read_text()) if self.count.exists() else 0

    @property
    def rc(self) -> Path:
        return self.home / ".config" / "matplotlib" / "matplotlibrc"

    def write_rc(self, text: str) -> None:
        self.rc.parent.mkdir(parents=True, exist_ok=True)
        self.rc.write_text(text)


@pytest.mark.parametrize("python", interpreters()[::5])
def test_what_was_seen_before_is_not_imported_again(tmp_path: Path, python: str) -> None:
    desk = Desk(tmp_path, python)
    first = desk.ask("?")
    assert (first["matplotlib"]["version"], first["matplotlib"]["wish"]) == ("3.8.0", "agg")
    again = desk.ask(first["stamp"])
    assert again["same"] == first["stamp"]
    assert again["version"] == first["version"]
    assert not {"tk", "qt", "grounds", "matplotlib", "handshake", "window"} & set(again)
    assert desk.imports() == 1


def put(path: str, data: str) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        file = desk.modules.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(data)

    return change


def later(desk: Desk) -> None:
    file = desk.modules / "matplotlib" / "__init__.py"
    os.utime(file, (time.time() + 5, time.time() + 5))


CHANGES: dict[str, Callable[[Desk], None]] = {
    "a setting of the same length": lambda desk: desk.write_rc("backend: Qt\n"),
    "a packaged setting": put("modules/matplotlib/mpl-data/matplotlibrc", "backend: tkagg\n"),
    "a file written anew": later,
    "a compiled part": put("modules/numpy/core/_multiarray.so", "two"),
    "a part that is gone": lambda desk: (desk.modules / "numpy" / "core" / "_multiarray.so").unlink(),
    "a new module": put("modules/sitecustomize.py", "import os\n"),
    "a setting beside the script": put("home/matplotlibrc", "backend: svg\n"),
    "a variable": lambda desk: desk.more.update(MPLBACKEND="svg"),
    "another folder of settings": lambda desk: desk.more.update(MPLCONFIGDIR="/nowhere"),
    "a library path": lambda desk: desk.more.update(LD_LIBRARY_PATH="/nowhere"),
}


def test_whatever_changes_it_is_imported_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_rc("backend: Tk\n")
    stamp = str(desk.ask("?")["stamp"])
    for count, (name, change) in enumerate(CHANGES.items(), 2):
        change(desk)
        found = desk.ask(stamp)
        assert "version" in found["matplotlib"], name
        assert desk.imports() == count
        stamp = found["stamp"]
    assert desk.ask(stamp)["same"] == stamp


def test_doctor_asks_without_a_stamp_and_gets_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    environ = {"PYTHONPATH": str(desk.modules), "COUNT": str(desk.count)}
    assert "stamp" not in ask(desk.home, **environ)


# --- the record on this machine


def answers(said: dict[str, object]) -> Answers:
    line = "\t".join(("login shell", "/usr/bin/python3", json.dumps({"version": "3.11", **said})))
    return Answers({"python.full": (line,), "user": ("ana",)}, {}, {})


def said_by(found: Answers) -> Any:
    return json.loads(found.all("python.full")[0].split("\t")[2])


PLOTS: dict[str, object] = {"version": "3.8.0", "rc_file": "/etc/matplotlibrc"}
FULL: dict[str, object] = {
    "tk": {"version": "8.6.13"},
    "qt": {"problem": ""},
    "grounds": {"libx11": ""},
    "matplotlib": PLOTS,
    "stamp": "1-a-b-c",
}


def test_what_is_left_out_comes_from_the_record(tmp_path: Path) -> None:
    first = SeenBefore(tmp_path / "seen", "ana@gpu1:22 ")
    assert first.stamp == "?"
    first.complete(answers(dict(FULL)))
    (file,) = (tmp_path / "seen").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    again = SeenBefore(tmp_path / "seen", "ana@gpu1:22 ")
    assert again.stamp == "1-a-b-c"
    found = again.complete(answers({"same": "1-a-b-c"}))
    kept = {name: FULL[name] for name in ("tk", "qt", "grounds", "matplotlib")}
    assert said_by(found) == {"version": "3.11", "same": "1-a-b-c", **kept}
    assert found.first("user") == "ana"
    assert SeenBefore(tmp_path / "seen", "ben@gpu1:22 ").stamp == "?"


FAULTS: list[dict[str, object]] = [
    {"matplotlib": {**PLOTS, "problem": "ImportError"}},
    {"matplotlib": {**PLOTS, "backend_problem": "ImportError"}},
    {"matplotlib": {"version": None}},
    {"tk": {"problem": "ImportError"}},
    {"qt": {"problem": "libEGL.so.1"}},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_not_kept(tmp_path: Path, fault: dict[str, object]) -> None:
    SeenBefore(tmp_path, "a").complete(answers({**FULL, **fault}))
    assert SeenBefore(tmp_path, "a").stamp == "?"


def test_ctrl_c_while_it_is_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", ends)
    with pytest.raises(KeyboardInterrupt):
        SeenBefore(tmp_path, "a").complete(answers(dict(FULL)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x11fwd.seen/3"}', '{"time": "x"}'])
def test_a_record_that_cannot_be_understood_counts_as_none(tmp_path: Path, text: str) -> None:
    SeenBefore(tmp_path, "a").complete(answers(dict(FULL)))
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert SeenBefore(tmp_path, "a").stamp == "?"


def test_an_old_record_counts_as_none(tmp_path: Path) -> None:
    SeenBefore(tmp_path, "a").complete(answers(dict(FULL)))
    (file,) = tmp_path.iterdir()
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "time": time.time() - 40 * 86400}))
    assert SeenBefore(tmp_path, "a").stamp == "?"


def test_a_host_that_claims_what_it_was_not_asked_for_is_not_believed(tmp_path: Path) -> None:
    SeenBefore(tmp_path, "a").complete(answers(dict(FULL)))
    strange = answers({"same": "1-x-x-x"})
    assert SeenBefore(tmp_path, "a").complete(strange) is strange


# --- what a host is asked then


def test_a_plan_is_made_from_the_same_facts_whether_all_is_asked_or_only_what_it_takes(
    tmp_path: Path,
) -> None:
    local = LocalTransport()
    whole = gather_remote(local)
    brief = []
    for _ in range(2):
        seen = SeenBefore(tmp_path, "me")
        brief.append((seen.stamp, gather_remote(local, seen=seen)))
    (none, first), (_, again) = brief
    assert none == "?"
    for found in (first, again):
        assert {name: getattr(found, name) for name in FOR_PLANS} == {
            name: getattr(whole, name) for name in FOR_PLANS
        }
        assert (found.xauth.path, found.home.path) == (whole.xauth.path, whole.home.path)
        assert found.home.writable == whole.home.writable
        assert replace(found.sshd, version=whole.sshd.version) == whole.sshd
        assert [replace(one, toolkits=ToolkitFacts()) for one in found.pythons] == [
            replace(one, toolkits=ToolkitFacts()) for one in whole.pythons
        ]
        # of the rest nothing is said that was not asked
        assert isinstance(found.network.localhost, Unknown)
        assert isinstance(found.xauth.version, Unknown)
    assert again.remote_handshake in {None, first.remote_handshake}


FOR_PLANS = (
    *("system", "user", "uid", "shell", "groups", "privilege", "package_manager", "package_managers"),
    *("login_environment", "login_path", "start_environment", "modules"),
)
