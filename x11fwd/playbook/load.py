"""Finds and reads playbook files; imported through `x11fwd.playbook` only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import PlaybookError, UsageError
from x11fwd.playbook.backends import TOOLKITS, canonical
from x11fwd.playbook.conditions import read_conditions
from x11fwd.playbook.model import (
    CommandStep,
    FileStep,
    MatplotlibrcStep,
    PackagesStep,
    Playbook,
    ServiceState,
    ServiceStep,
    SshdOptionStep,
    Step,
    StepHead,
)
from x11fwd.playbook.nodes import Place, read_document

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMA", "STEP_KINDS", "load_playbook", "package_names", "playbook_names", "playbooks_folder"]

SCHEMA = "x11fwd.playbook/1"

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]*$")
_TABLES = ("environments", "inits")  # beside the playbooks, and none
_PACKAGE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9+._:/-]*$")  # Gentoo's have a category in front
_KEYWORD = re.compile(r"^[A-Za-z][A-Za-z0-9]*$")
_OPTION_VALUE = re.compile(r"^[A-Za-z0-9/][A-Za-z0-9/._:%+-]*$")
_SERVICE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9@:._-]*$")


def playbooks_folder() -> Path:
    """Where the shipped playbooks are: inside the installed package, or beside it in a source checkout.

    A wheel holds them as `x11fwd/playbooks` (hatch force-include); an editable install has only the
    checkout's `playbooks/`.

    Raises:
        UsageError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "playbooks", package.parent / "playbooks"):
        if (folder / "default.yml").is_file():
            return folder
    raise UsageError(
        f"the playbooks are not beside {package}", hint="install x11fwd again, or name one with `--playbook`"
    )


def playbook_names() -> tuple[str, ...]:
    """The names of the shipped playbooks, for help and completion."""
    return tuple(sorted(path.stem for path in playbooks_folder().glob("*.yml") if path.stem not in _TABLES))


def load_playbook(name_or_path: str = "default") -> Playbook:
    """A shipped playbook by its name, or the user's own by its path.

    A word without `/` and without `.yml` or `.yaml` at its end is a name.

    Raises:
        UsageError: no shipped playbook has that name.
        PlaybookError: the file cannot be read or cannot be meant; it names file and line.
    """
    if _NAME.match(name_or_path):
        if name_or_path not in playbook_names():
            raise UsageError(
                f"there is no playbook `{name_or_path}`",
                hint=f"shipped are {', '.join(playbook_names())}; a file of your own needs its path",
            )
        return _read(playbooks_folder() / f"{name_or_path}.yml")
    return _read(Path(name_or_path).expanduser())


def _read(path: Path) -> Playbook:
    root = read_document(path, SCHEMA)
    fields = root.fields(("schema", "name", "description", "steps"))
    name = fields["name"].line_text()
    if not _NAME.match(name):
        raise fields["name"].error(f"`{name}` is no name (small letters, digits and `-`)")
    steps = tuple(_step(item) for item in fields["steps"].items())
    if not steps:
        raise fields["steps"].error("`steps` is an empty list")
    seen: dict[str, int] = {}
    for step in steps:
        if step.head.name in seen:
            raise PlaybookError(
                f"two steps are named `{step.head.name}` (first on line {seen[step.head.name]})",
                file=step.head.file,
                line=step.head.line,
            )
        seen[step.head.name] = step.head.line
    description = " ".join(fields["description"].text().split())
    return Playbook(name, description, steps, str(path))


def _step(item: Place) -> Step:
    entries = dict(item.entries())
    kinds = [key for key in entries if key in STEP_KINDS]
    known = ", ".join(STEP_KINDS)
    if not kinds:
        unknown = [key for key in entries if key not in {"name", "when", "become"}]
        if unknown:
            line = min(entries[key].line for key in unknown)
            raise PlaybookError(
                f"unknown step `{unknown[0]}`", file=item.file, line=line, hint=f"known steps: {known}"
            )
        raise item.error("a step without anything to do", hint=f"known steps: {known}")
    if len(kinds) > 1:
        raise entries[kinds[1]].error(f"one step holds both `{kinds[0]}` and `{kinds[1]}`")
    kind = kinds[0]
    fields = item.fields(("name", kind), ("when", "become"))
    read, become = STEP_KINDS[kind]
    if "become" in fields:
        wish = fields["become"].flag()
        if become is not None and wish is not become:
            needs = "always needs root's rights" if become else "never needs root's rights"
            raise fields["become"].error(f"`{kind}` {needs}; leave `become` out")
        become = wish
    head = StepHead(
        name=fields["name"].line_text().strip(),
        when=read_conditions(fields["when"]) if "when" in fields else (),
        become=bool(become),
        file=item.file,
        line=item.line,
    )
    return read(head, fields[kind])


def package_names(place: Place, plain: Callable[[str], str] = str) -> tuple[str, ...]:
    """A list of package names with at least one member.

    Args:
        plain: takes placeholders out before a name is looked at.

    Raises:
        PlaybookError: something in it can be no package's name (it would reach a command line).
    """
    for item in place.items():
        if not _PACKAGE.match(plain(item.line_text())):
            raise item.error(f"`{item.text()}` is no package name")
    return place.texts()


def _packages(head: StepHead, place: Place) -> PackagesStep:
    return PackagesStep(head, package_names(place))


def _sshd_option(head: StepHead, place: Place) -> SshdOptionStep:
    options: list[tuple[str, str]] = []
    for key, value in place.entries():
        if not _KEYWORD.match(key) or key.lower() in {"match", "include"}:
            raise value.error(f"`{key}` is no keyword of sshd_config(5) that a step may set")
        word = value.line_text()
        if not _OPTION_VALUE.match(word):
            raise value.error(f"`{word}` cannot be the value of `{key}`: one word without quotes")
        if key.lower() in {known.lower() for known, _ in options}:
            raise value.error(f"`{key}` stands twice (sshd does not tell capitals apart)")
        options.append((key, word))
    if not options:
        raise place.error("`sshd_option` names no option")
    return SshdOptionStep(head, tuple(options))


def _matplotlibrc(head: StepHead, place: Place) -> MatplotlibrcStep:
    fields = place.fields(("backend",))
    word = fields["backend"].line_text()
    backend = canonical(word)
    if backend is None:
        raise fields["backend"].error(
            f"`{word}` is no backend that opens windows", hint=f"known ones: {', '.join(TOOLKITS)}"
        )
    return MatplotlibrcStep(head, backend)


def _file(head: StepHead, place: Place) -> FileStep:
    fields = place.fields(("path", "content"), ("mode",))
    path = fields["path"].line_text()
    if not path.startswith(("/", "~/")) or ".." in path.split("/") or path.endswith("/"):
        raise fields["path"].error(f"`{path}` must be an absolute path, or begin with `~/`")
    mode = 0o644
    if "mode" in fields:
        word = fields["mode"].text()
        if not re.match(r"^0?[0-7]{3}$", word):
            raise fields["mode"].error(f"`{word}` is no file mode: three octal digits such as `0644`")
        mode = int(word, 8)
    return FileStep(head, path, fields["content"].text(), mode)


def _service(head: StepHead, place: Place) -> ServiceStep:
    fields = place.fields(("name", "state"))
    name = fields["name"].line_text()
    if not _SERVICE.match(name):
        raise fields["name"].error(f"`{name}` is no service name")
    word = fields["state"].line_text()
    states = [state.value for state in ServiceState]
    if word not in states:
        raise fields["state"].error(f"unknown state `{word}`", hint=f"known states: {', '.join(states)}")
    return ServiceStep(head, name, ServiceState(word))


def _command(head: StepHead, place: Place) -> CommandStep:
    fields = place.fields(("check", "do", "undo"))
    return CommandStep(head, fields["check"].texts(), fields["do"].texts(), fields["undo"].texts())


STEP_KINDS: dict[str, tuple[Callable[[StepHead, Place], Step], bool | None]] = {
    "packages": (_packages, True),
    "sshd_option": (_sshd_option, True),
    "matplotlibrc": (_matplotlibrc, False),
    "file": (_file, None),
    "service": (_service, True),
    "command": (_command, None),
}
"""The closed set: key in the file -> reader, and whether root's rights are needed (None: the step says)."""
