"""probe_python.py in every interpreter that this machine has, against an X server in a thread."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.x11.fake_server import acceptance, read_setup, refusal, serving
from x11fwd.facts.remote import python_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARK = "mark7"
COOKIE = bytes(range(16))
QUESTIONS = {
    *("executable", "version", "prefix", "base_prefix", "managed", "pip", "conda", "platform"),
    *("tk", "qt", "matplotlib"),
}
IN_FULL = {*QUESTIONS, "handshake", "environment", "grounds", "window"}
Seen = list[tuple[bytes, bytes]]


def interpreters() -> list[str]:
    """Python 3.6 and later: under pyenv's versions, the system's, and the one that runs the tests."""
    folders = [Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")), Path.home() / ".pyenv"]
    found = {str(path) for folder in folders for path in folder.glob("versions/3.*/bin/python3")}
    return [
        sys.executable,
        *sorted(found),
        *(["/usr/bin/python3"] if Path("/usr/bin/python3").exists() else []),
    ]


def ask(home: Path, python: str = sys.executable, mode: str = "full", **environ: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", python_text(), mode, MARK],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **environ},
        cwd=home,
        timeout=60,
        check=False,
    )
    _, mark, text = done.stdout.decode("ascii").partition(MARK)
    assert mark, done.stderr.decode()
    answer = json.loads(text)
    assert isinstance(answer, dict)
    return answer


def record(family: int, address: bytes, number: bytes, data: bytes = COOKIE) -> bytes:
    fields = (address, number, b"MIT-MAGIC-COOKIE-1", data)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(one)) + one for one in fields)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Callable[[bytes], tuple[str, Seen]]]:
    """Starts a server that gives one answer; returns its DISPLAY and what it was shown."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(answer: bytes) -> tuple[str, Seen]:
            seen: Seen = []

            def script(connection: socket.socket) -> None:
                _, name, data = read_setup(connection)
                seen.append((name, data))
                connection.sendall(answer)

            name = stack.enter_context(serving(tmp_path / "X", script))
            return str(name), seen

        yield start


@pytest.mark.parametrize("python", interpreters())
def test_every_interpreter_answers_the_same_questions_and_leaves_nothing(python: str, tmp_path: Path) -> None:
    answer = ask(tmp_path, python)
    assert answer["version"].startswith("3.")
    assert set(answer) == IN_FULL
    assert answer["handshake"] == {"display": None, "authority": str(tmp_path / ".Xauthority")}
    assert "version" in answer["tk"] or "problem" in answer["tk"]
    assert answer["window"]["reason"] in {"there is no display that works", "there is no toolkit"}
    assert set(ask(tmp_path, python, "short")) == QUESTIONS
    assert list(tmp_path.iterdir()) == [], "neither a folder nor compiled code nor a font cache"


def test_the_cookie_of_the_authority_file_is_shown(
    tmp_path: Path, display: Callable[[bytes], tuple[str, Seen]]
) -> None:
    name, seen = display(acceptance("<"))
    host = socket.gethostname().encode()
    (tmp_path / ".Xauthority").write_bytes(
        record(0, b"\x0a\0\0\1", b"0", b"x" * 16) + record(256, host, b"0")
    )
    shake = ask(tmp_path, DISPLAY=name)["handshake"]
    assert shake["ok"] is True
    assert shake["cookie"] is True
    assert shake["entries"] == ["#0000#0a000001#:0", f"{socket.gethostname()}/unix:0"]
    assert shake["trip"] < 5
    assert seen == [(b"MIT-MAGIC-COOKIE-1", COOKIE)]


def test_the_servers_own_words_come_back_without_the_cookie(
    tmp_path: Path, display: Callable[[bytes], tuple[str, Seen]]
) -> None:
    name, _ = display(refusal("<", "Invalid MIT-MAGIC-COOKIE-1 key"))
    path = tmp_path / "other"
    path.write_bytes(record(65535, b"", b""))
    answer = ask(tmp_path, DISPLAY=name, XAUTHORITY=str(path))
    assert answer["handshake"]["problem"] == "Invalid MIT-MAGIC-COOKIE-1 key"
    assert COOKIE.hex() not in json.dumps(answer)


def test_an_end_instead_of_an_answer_names_the_missing_cookie(
    tmp_path: Path, display: Callable[[bytes], tuple[str, Seen]]
) -> None:
    """So a wrong or missing cookie looks through ssh's forwarded display."""
    name, seen = display(b"")
    shake = ask(tmp_path, DISPLAY=name)["handshake"]
    authority = tmp_path / ".Xauthority"
    assert (
        shake["problem"] == f"the connection was closed without an answer; {authority} has no cookie for it"
    )
    assert seen == [(b"", b"")]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("localhost:55999", "connect localhost port 61999: "),
        ("/nonexistent/X", "connect /nonexistent/X: No such file or directory"),
        (":54321", "connect /tmp/.X11-unix/X54321: No such file or directory"),
        ("nonsense", "DISPLAY 'nonsense' has no display number"),
        ("localhost:ten", "DISPLAY 'localhost:ten' has no display number"),
    ],
)
def test_a_display_that_leads_nowhere_says_where_it_led(tmp_path: Path, value: str, problem: str) -> None:
    shake = ask(tmp_path, DISPLAY=value)["handshake"]
    assert "ok" not in shake
    assert shake["problem"].startswith(problem)


def test_a_damaged_authority_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".Xauthority").write_bytes(record(256, b"here", b"1") + b"\x01\x00\x00\xff")
    assert ask(tmp_path, DISPLAY=":54321")["handshake"]["entries"] == ["here/unix:1"]


def test_a_module_in_the_home_directory_is_not_taken_for_the_real_one(tmp_path: Path) -> None:
    for name in ("json", "socket", "tkinter", "matplotlib"):
        (tmp_path / f"{name}.py").write_text(
            f"open('was-run', 'w')\nraise SystemExit('{name} of the user')\n"
        )
    assert ask(tmp_path)["version"]
    assert not (tmp_path / "was-run").exists()


def test_a_module_that_prints_or_ends_the_interpreter_does_not_spoil_the_answer(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "matplotlib").mkdir(parents=True)
    (folder / "matplotlib" / "__init__.py").write_text("print('hello')\nraise SystemExit(3)\n")
    answer = ask(
        tmp_path,
        "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable,
        PYTHONPATH=str(folder),
    )
    assert answer["matplotlib"]["problem"] == "SystemExit: 3"


QT_CORE = """
def qVersion():
    return '5.15.8'
class QLibraryInfo:
    PluginsPath = 1
    def location(_where):
        return {plugins!r}
"""


def fake_qt(folder: Path, name: str, widgets: str, plugins: Path = Path("/nonexistent")) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "QtWidgets.py").write_text(widgets)
    (folder / name / "QtCore.py").write_text(QT_CORE.format(plugins=str(plugins)))


def test_a_binding_that_aborts_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    """A Qt without its libraries may end the process (F118)."""
    folder = tmp_path / "site"
    fake_qt(folder, "PyQt6", "import os\nos.abort()\n")
    fake_qt(folder, "PyQt5", "")
    qt = ask(tmp_path, PYTHONPATH=str(folder))["qt"]
    assert qt == {"module": "PyQt5", "version": "5.15.8", "imported": True, "plugin": None}
    (folder / "PyQt5" / "QtWidgets.py").write_text("raise ImportError('libGL.so.1: no such file')\n")
    assert "status -6" in ask(tmp_path, PYTHONPATH=str(folder))["qt"]["problem"]
    assert not list(tmp_path.glob("core*"))


def test_the_binding_that_qt_api_names_is_the_only_one_that_counts(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    fake_qt(folder, "PyQt6", "")
    fake_qt(folder, "PyQt5", "")
    assert ask(tmp_path, PYTHONPATH=str(folder), QT_API="PyQt5")["qt"]["module"] == "PyQt5"
    assert ask(tmp_path, PYTHONPATH=str(folder), QT_API="pyside6")["qt"] == {"problem": ""}


def test_a_platform_plugin_that_does_not_load_says_why(tmp_path: Path) -> None:
    folder, plugins = tmp_path / "site", tmp_path / "plugins"
    (plugins / "platforms").mkdir(parents=True)
    (plugins / "platforms" / "libqxcb.so").write_bytes(b"no library")
    fake_qt(folder, "PyQt5", "", plugins)
    qt = ask(tmp_path, PYTHONPATH=str(folder))["qt"]
    assert qt["plugin"] == str(plugins / "platforms" / "libqxcb.so")
    assert "file too short" in qt["lacks"] or "invalid ELF header" in qt["lacks"]
    assert qt["missing"] == []


def test_what_the_interpreters_own_start_files_do_to_the_backend_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("# ours\nimport os\nos.environ['MPLBACKEND'] = 'Agg'\n")
    environment = ask(tmp_path, PYTHONPATH=str(folder))["environment"]
    assert environment == {"variables": {"MPLBACKEND": "Agg"}, "changed": ["MPLBACKEND"]}


def test_a_backend_chosen_by_sitecustomize_is_told_from_one_of_a_file(own_rc: Path, tmp_path: Path) -> None:
    own_rc.write_text("backend: TkAgg\n")
    folder = tmp_path / "site"
    folder.mkdir()
    path = folder / "sitecustomize.py"
    path.write_text("import matplotlib\n\nmatplotlib.use('Agg')\n")
    cache = str(tmp_path.parents[0] / "cache")
    found = plots(tmp_path, PYTHONPATH=str(folder), XDG_CACHE_HOME=cache)
    assert found["forced"].lower() == found["backend"].lower() == "agg"
    assert [str(path), 3, "matplotlib.use('Agg')"] in found["start_lines"]


def test_lines_that_choose_a_backend_for_interactive_sessions_are_found(own_rc: Path, tmp_path: Path) -> None:
    del own_rc
    startup = tmp_path / "startup.py"
    startup.write_text("import sys\nimport matplotlib; matplotlib.use('agg')\n")
    profile = tmp_path / ".ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "ipython_config.py").write_text("# c.InteractiveShellApp.matplotlib = 'qt'\n")
    (profile / "startup" / "00.ipy").write_text("%matplotlib inline\n")
    found = plots(tmp_path, PYTHONSTARTUP=str(startup))
    assert [[Path(path).name, line] for path, line, _ in found["shell_lines"]] == [
        ["startup.py", 2],
        ["00.ipy", 1],
    ]


# --- matplotlib: what we work out, against what matplotlib itself ends up with


RC = "MPLCONFIGDIR"


def plots(home: Path, **environ: str) -> dict[str, Any]:
    found = ask(home, **environ)["matplotlib"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def own_rc(tmp_path: Path) -> Path:
    pytest.importorskip("matplotlib")
    path = tmp_path / ".config" / "matplotlib" / "matplotlibrc"
    path.parent.mkdir(parents=True)
    return path


def test_the_users_file_and_its_backend_line_are_found(own_rc: Path, tmp_path: Path) -> None:
    own_rc.write_text("# mine\nbackend: Agg\nbackend: svg # last\n")
    found = plots(tmp_path)
    assert found["rc_file"] == str(own_rc)
    assert found["rc_lines"] == [[2, "backend: Agg"], [3, "backend: svg # last"]]
    assert found["user_rc_text"] == own_rc.read_text()
    assert (found["wish"], found["variable"], found["backend"]) == ("svg", None, "svg")


def test_a_link_to_another_file_is_followed(own_rc: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "rc"
    target.parent.mkdir()
    target.write_text("backend: TkAgg\n")
    own_rc.symlink_to(target)
    found = plots(tmp_path)
    assert found["user_rc"] == str(target)
    assert found["user_rc_exists"] is True


def test_the_variable_wins_over_the_file(own_rc: Path, tmp_path: Path) -> None:
    own_rc.write_text("backend: svg\n")
    found = plots(tmp_path, MPLBACKEND="pdf")
    assert (found["wish"], found["variable"], found["backend"]) == ("pdf", "pdf", "pdf")


def test_a_misspelt_backend_in_the_variable_is_a_problem(own_rc: Path, tmp_path: Path) -> None:
    del own_rc
    found = plots(tmp_path, MPLBACKEND="TkAg")
    assert "TkAg" in found["problem"] or "TkAg" in found.get("backend_problem", "")


def test_a_config_folder_that_cannot_be_made_is_no_lie(own_rc: Path, tmp_path: Path) -> None:
    del own_rc
    (tmp_path / "file").write_text("")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    wanted = str(tmp_path / "file" / "below")
    found = plots(tmp_path, MPLCONFIGDIR=wanted, TMPDIR=str(temporary))
    assert found["config_dir"] == wanted
    assert found["config_temporary"] is True
    assert found["user_rc"].startswith(str(temporary))
    assert list(temporary.iterdir()) == [], "the folder that matplotlib made for itself is gone again"


@pytest.mark.parametrize(
    ("wish", "fallback"),
    [
        ("", ""),
        ("TkAgg", ""),
        ("TkAgg", "backend_fallback: False\n"),
        ("tkagg", ""),
        ("svg", ""),
        ("module://matplotlib.backends.backend_svg", ""),
    ],
)
def test_without_a_display_the_backend_is_the_one_a_figure_gets(
    wish: str, fallback: str, own_rc: Path, tmp_path: Path
) -> None:
    own_rc.write_text((f"backend: {wish}\n" if wish else "") + fallback)
    found = plots(tmp_path)
    code = "import matplotlib.pyplot as p; p.figure(); print(p.get_backend())"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(_cache(tmp_path))}
    real = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    if real.returncode:
        assert "backend_problem" in found, real.stderr
        assert wish in found["backend_problem"]
    else:
        assert found["backend"].lower() == real.stdout.strip().lower()


def _cache(tmp_path: Path) -> Path:
    """One font cache for all of them; building it takes seconds."""
    return tmp_path.parents[0] / "font-cache"
