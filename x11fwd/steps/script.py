"""The text that is sent to the remote: an action's own variables and functions, then the engine; engine only.

Quoting for the remote shell happens in `quoted` and nowhere else in this package.
"""

from __future__ import annotations

import hashlib
import shlex
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from x11fwd.steps.plan import (
    Action,
    Change,
    ChangeSshd,
    ControlService,
    InstallInEnvironment,
    InstallPackages,
    RunCommand,
    WriteFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["boot_text", "engine_text", "kind_of", "quoted", "script_for"]

_CHUNK = 4096  # bytes of a file's content in one printf


@cache
def engine_text() -> str:
    """The engine's pieces in their order, without the lines that are for people."""
    folder = files("x11fwd.steps") / "engine"
    pieces = sorted((piece for piece in folder.iterdir() if piece.name.endswith(".sh")), key=lambda p: p.name)
    return "".join(_bare(piece.read_text(encoding="ascii")) for piece in pieces)


@cache
def boot_text(part: str) -> str:
    """`rights` or `spool`: what runs before the engine is there."""
    return _bare((files("x11fwd.steps") / "engine" / "boot" / f"{part}.sh").read_text(encoding="ascii"))


def _bare(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))


def quoted(word: str) -> str:
    """One word for a POSIX shell."""
    return shlex.quote(word)


def kind_of(action: Action) -> str:
    """The engine's word for an action; also the kind in the journal."""
    if isinstance(action, WriteFile):
        return "write"
    if isinstance(action, ChangeSshd):
        return "sshd"
    if isinstance(action, InstallPackages):
        return "packages"
    if isinstance(action, InstallInEnvironment):
        return "environment"
    if isinstance(action, ControlService):
        return "service"
    return "command"


def script_for(nonce: str, run: Mapping[str, str], change: Change | None = None) -> bytes:
    """The whole script of one run.

    Args:
        nonce: marks every line that is ours; the script's last line holds it too, so that a cut
            transfer shows.
        run: what the engine is to do, as `x_…` variables.
        change: the change to apply; None for everything else.
    """
    lines = [f"x_nonce={quoted(nonce)}", *(f"x_{name}={quoted(value)}" for name, value in run.items())]
    if change is not None:
        lines += ["# action begins", *_action_lines(change), "# action ends"]
    text = "\n".join(lines) + "\n" + engine_text() + f"# @{nonce} complete\n"
    return text.encode("utf-8", "surrogateescape")


def _action_lines(change: Change) -> list[str]:
    action = change.action
    lines = _assignments({"change": change.id, "title": change.title})
    if isinstance(action, WriteFile):
        lines += _file(action)
    elif isinstance(action, ChangeSshd):
        lines += _sshd(action)
    elif isinstance(action, InstallPackages):
        lines += _packages(action)
    elif isinstance(action, InstallInEnvironment):
        lines += _environment(action)
    elif isinstance(action, ControlService):
        lines += [_ways("try_ways", action.commands), _ways("run_undo", action.undo)]
    elif isinstance(action, RunCommand):
        lines += _command(action)
    else:
        message = f"{change.id} is by hand"  # never in Plan.changes
        raise TypeError(message)
    return lines


def _assignments(values: Mapping[str, str]) -> list[str]:
    return [
        f"x_{name}={quoted(value.replace(chr(10), ' ') if name == 'title' else value)}"
        for name, value in values.items()
    ]


def _call(argv: Sequence[str]) -> str:
    return " ".join(quoted(word) for word in argv)


def _function(name: str, argv: Sequence[str], *, environment: Iterable[tuple[str, str]] = ()) -> str:
    """A shell function that runs `argv` with its own arguments appended; an empty `argv` does nothing."""
    if not argv:
        return f"{name}() {{ :; }}"
    variables = [f"{key}={value}" for key, value in environment]
    words = ["env", *variables, *argv] if variables else list(argv)
    return f'{name}() {{ {_call(words)} "$@"; }}'


def _ways(name: str, ways: Sequence[Sequence[str]]) -> str:
    """A function that tries commands in order until one works."""
    return f"{name}() {{ {' || '.join(_call(way) for way in ways) or ':'}; }}"


def _file(action: WriteFile) -> list[str]:
    lines = _assignments(
        {
            "path": action.path,
            "mode": f"{action.mode:o}",
            "before": action.before_sha256 or "absent",
            "after": hashlib.sha256(action.content).hexdigest(),
        }
    )
    chunks = [action.content[at : at + _CHUNK] for at in range(0, len(action.content), _CHUNK)]
    body = "".join(f"    printf '%b' {quoted(_escaped(chunk))} || return 1\n" for chunk in chunks)
    return [*lines, "put_content() {", f"{body}    :", "}"]


def _escaped(data: bytes) -> str:
    """Bytes for `printf %b`: POSIX gives it octal escapes, `\\\\` and `\\n`; the rest stays readable."""
    plain = {ord("\n"): "\\n", ord("\\"): "\\\\"}
    return "".join(plain.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\0{byte:03o}") for byte in data)


def _sshd(action: ChangeSshd) -> list[str]:
    lines = _file(action.file) + _assignments(
        {
            "binary": action.binary,
            "config_file": action.config_file,
            "custom": "yes" if action.custom_config else "no",
            "connection": action.connection,
            "expect": "\n".join(f"{keyword} {value}" for keyword, value in action.expect),
            "confirm_seconds": str(action.confirm_seconds),
            "reloads": str(len(action.reload)),
        }
    )
    for number, argv in enumerate(action.reload, 1):
        words = " ".join(
            '"$pid"'.join(quoted(part) if part else "" for part in word.split("{pid}")) for word in argv
        )
        needs = any("{pid}" in word for word in argv)
        lines += [
            f"reload_{number}() {{ {words}; }}",
            f"reload_{number}_needs_pid() {{ {'true' if needs else 'false'}; }}",
        ]
    return lines


def _packages(action: InstallPackages) -> list[str]:
    commands = action.commands
    lines = _assignments(
        {
            "names": " ".join(action.names),
            "lock_files": " ".join(commands.lock_files),
            "lock_path": commands.lock_path,
            "lock_words": "\n".join(commands.lock_words),
            "prefix": "",
        }
    )
    functions = {
        "list_all": commands.all_installed,
        "list_some": commands.installed,
        "refresh_lists": commands.refresh,
        "install_names": commands.install,
        "remove_names": commands.remove,
    }
    if commands.name == "apt":
        # apt-get(8) takes -s anywhere; dpkg(1) --no-act says what would stand in the way
        functions["simulate_install"] = (*commands.install, "-s")
        if commands.remove[:1] == ("dpkg",):
            functions["simulate_remove"] = ("dpkg", "--no-act", *commands.remove[1:])
    elif commands.try_remove:
        functions["simulate_remove"] = commands.try_remove
    lines += [_function(name, argv, environment=commands.environment) for name, argv in functions.items()]
    if commands.name == "apt":
        # dpkg leaves apt's note of dependencies behind (extended_states); apt forgets what is manual
        lines += [
            _function("purge_names", commands.remove, environment=commands.environment),
            'remove_names() { apt-mark manual "$@" >/dev/null 2>&1; purge_names "$@"; }',
        ]
    return lines


def _environment(action: InstallInEnvironment) -> list[str]:
    lines = _assignments(
        {
            "names": " ".join(action.names),
            "prefix": action.prefix,
            "lock_files": "",
            "lock_path": "",
            "lock_words": "",
        }
    )
    if action.proof:  # without what Python would write beside its modules
        lines.append(
            _function("run_proof", ("env", "PYTHONDONTWRITEBYTECODE=1", action.python, "-c", action.proof))
        )
    if action.installer == "conda":
        tool = (action.tool or "conda",)
        place = ("--prefix", action.prefix)
        # conda, mamba and micromamba print lists of different forms; the environment's records are alike
        records = (
            'cd "$1/conda-meta" && for f in *.json; do f=${f%.json}; v=${f%-*}; n=${v%-*}; '
            'echo "$n=${v##*-}=${f##*-}"; done'
        )
        return [
            *lines,
            _function("list_all", ("sh", "-c", records, "records", action.prefix)),
            # what is there keeps its version
            _function("install_names", (*tool, "install", "--yes", *place, "--freeze-installed")),
            _function("remove_names", (*tool, "remove", "--yes", *place)),
            "refresh_lists() { :; }",
        ]
    pip = (action.python, "-m", "pip", "--disable-pip-version-check", "--no-input")
    where = ("--user",) if action.user else ()
    return [
        *lines,
        _function("list_all", (*pip, "list", "--format=freeze")),
        # the versions that are there are constraints: pip adds to an environment, it changes nothing in it
        f'install_names() {{ {_call((*pip, "install", *where, "--constraint"))} "$run/before" "$@"; }}',
        _function("remove_names", (*pip, "uninstall", "--yes")),
        "refresh_lists() { :; }",
    ]


def _command(action: RunCommand) -> list[str]:
    return [
        *_assignments({"undoable": "yes" if action.undo else "no"}),
        _function("run_check", action.check),
        _function("run_command", action.do),
        _function("run_undo", action.undo),
    ]
