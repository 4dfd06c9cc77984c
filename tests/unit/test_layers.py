"""DESIGN.md's layers hold for every import of the package, and the quick ways stay quick."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import x11fwd

ROOT = Path(x11fwd.__file__).parent
# From the bottom; packages on one line are strangers to one another.
LAYERS = [
    ("errors",),
    ("target", "x11"),
    ("transports",),
    ("facts", "playbook", "inventory"),
    (
        *(
            "checks",
            "steps",
            "explain",
            "bridge",
            "viewer",
            "logs",
            "render",
            "project",
            "inline",
            "notebook",
        ),
        "serialised",
    ),
    ("ansible",),  # its role carries the engine of steps
    ("pipeline",),
    ("ui",),
    ("cli",),
    ("__main__",),
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Who may import what from outside; everything else of PyPI is not a dependency at all.
OWNERS = {
    "typer": {"cli"},
    "click": set(),
    "rich": {"ui"},
    "paramiko": {"transports"},
    "cryptography": {"transports"},  # paramiko's own, for its key files
    "yaml": {"playbook", "inventory"},
    "markdown_it": {"explain"},
    "uvicorn": {"viewer"},
    "matplotlib": {"ui"},  # only where the person has it: `watch --png`
    "subprocess": {"transports"},
    "pathspec": {"project"},
    "hatchling": {"bridge"},  # assembly/wheel_hook.py, while a wheel is built
}
# Programs that are sent to the remote as text and run there; they are data of their package.
SENT = {"facts/probe_python.py", "facts/probe_toolkits.py", "pipeline/plot.py"}
SENT |= {f"pipeline/run_there/{name}.py" for name in ("line", "places", "pictures", "script", "serve")}
SENT |= {
    "logs/follow_remote.py",
    "project/receive.py",
    "inline/sent/backend.py",
    "inline/sent/figure_numbers.py",
    "inline/sent/figure_traces.py",
    "inline/sent/figure_data.py",
    "render/sent/painting.py",
    "render/sent/shortcuts.py",
    "render/sent/foreman.py",
    "serialised/follow_remote.py",
    "serialised/open_remote.py",
}
SENT |= {
    f"notebook/far/{name}.py" for name in ("wire", "relay", "servers", "starting", "installing", "agent")
}
SENT.add("ansible/callback/x11fwd_events.py")  # runs inside ansible-playbook
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).as_posix() not in SENT)


def package_of(path: Path) -> str:
    """The name under x11fwd that a file belongs to; `` for x11fwd/__init__.py itself."""
    first = path.relative_to(ROOT).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Line and dotted name of everything the file imports, inside functions and for type checkers too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} is a relative import"
            names = [node.module or ""]
            if node.module == "x11fwd":
                names = [f"x11fwd.{alias.name}" for alias in node.names]
            found += [(node.lineno, name) for name in names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_from_the_layers_below_its_own(path: Path) -> None:
    own = package_of(path)
    wrong = []
    for line, name in imports_of(path):
        words = name.split(".")
        if words[0] != "x11fwd" or len(words) == 1 or words[1] in {own, "__version__"}:
            continue
        assert words[1] in LEVEL, f"{path}:{line}: {name} has no place in the layers"
        if not own or LEVEL[words[1]] >= LEVEL[own]:
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_foreign_package_is_imported_where_it_belongs(path: Path) -> None:
    own = package_of(path)
    standard = sys.stdlib_module_names
    wrong = []
    for line, name in imports_of(path):
        top = name.split(".")[0]
        allowed = own in OWNERS[top] if top in OWNERS else top in standard or top == "x11fwd"
        if not allowed:
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_below_the_cli_prints_or_exits(path: Path) -> None:
    if package_of(path) in {"cli", "__main__"}:
        return
    wrong = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # what runs only as `python -m` is a door of its own
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test))
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in {"print", "input", "sys.exit", "exit", "quit", "getpass.getpass"}:
            wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} calls {called}")
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_in_one_sentence_what_lives_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def loaded_by(code: str) -> set[str]:
    """Top-level packages that running `code` loads."""
    probe = f"{code}\nimport sys\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"typer", "rich", "paramiko", "yaml", "matplotlib", "numpy", "cryptography"}


def test_the_version_loads_nothing_heavy() -> None:
    loaded = loaded_by("from x11fwd.cli import main; main(['--version'])")
    assert loaded & (HEAVY | {"subprocess", "asyncio"}) == set()


def test_ssh_loads_nothing_heavy() -> None:
    assert loaded_by("import x11fwd.cli, x11fwd.pipeline.ssh_session") & HEAVY == set()


def test_help_does_not_load_paramiko_or_rich() -> None:
    code = "from x11fwd.cli import main; main(['--help'])"
    assert loaded_by(code) & {"paramiko", "rich", "yaml", "matplotlib", "numpy"} == set()


def test_doctor_on_this_machine_does_not_load_paramiko() -> None:
    assert "paramiko" not in loaded_by("from x11fwd.cli import main; main(['doctor'])")


def test_ssh_loads_the_table_of_messages_only_where_a_line_needs_it() -> None:
    parts = "relay, forewarning, quick_look, link"
    code = (
        f"import sys\nfrom x11fwd.pipeline.ssh import {parts}\n"
        "relay.explain(b'Permission denied (publickey).', ('gpu',))\n"
        "print([one for one in sys.modules if one.startswith('x11fwd.explain') or one == 'dataclasses'])\n"
        "relay.explain(b'X11 forwarding request failed on channel 0', ('gpu',))\n"
        "print('x11fwd.explain.messages' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True"]
