"""Which files belong to a project; the pipeline imports it.

git itself is asked where it can answer: tracked files and those it does not ignore. Elsewhere its rules are
applied by pathspec, with the folders left off that no program of the user's reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pathspec import GitIgnoreSpec

__all__ = ["Project", "find_project", "list_files"]

_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "environment.yml", "Pipfile")
_NEVER = frozenset({".git", ".hg", ".svn"})
# what other tools make again by themselves
_DROSS = frozenset(
    {"__pycache__", ".venv", "venv", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
    | {".nox", ".ipynb_checkpoints", ".DS_Store"}
)
_MOST = 200_000  # files


@dataclass(frozen=True)
class Project:
    """What goes to the other machine.

    Attributes:
        root: its folder, absolute and without symlinks.
        script: path of the script below `root`.
        folder: where the script starts, below `root`.
        whole: all of `root`; else the script and the modules beside it.
        reason: why this folder, a clause.
    """

    root: Path
    script: Path
    folder: Path
    whole: bool
    reason: str


def find_project(script: Path, sync: Path | None, *, here: Path, home: Path) -> Project:
    """The project of a script.

    Args:
        sync: the folder that the user named.
        here: the folder that the user is in.
        home: never sent as a whole, nor what contains it, unless it was named.

    Raises:
        UsageError: there is no such script, or it is not inside `sync`.
    """
    path = (here / script).resolve()
    if not path.is_file():
        if script.name.startswith("-"):
            raise UsageError(
                f"{script} is no script of this machine",
                hint="options stand before TARGET; what follows SCRIPT is the script's",
            )
        what = "is a folder" if path.is_dir() else "is not there"
        raise UsageError(f"{script} {what}", hint="the script is a file of this machine; it is sent along")
    here, home = here.resolve(), home.resolve()
    if sync is not None:
        root = (here / sync).resolve()
        if not root.is_dir():
            raise UsageError(f"--sync {sync} is not a folder")
        if root not in path.parents:
            raise UsageError(f"{script} is not inside {sync}", hint="`--sync` names the folder that holds it")
        return _project(root, path, here, whole=True, reason="it was named by --sync")
    for folder in path.parents:
        if folder == home or folder in home.parents:
            break
        marks = [mark for mark in _MARKS if (folder / mark).exists()]
        # a requirements.txt in a folder of the repository is not its top
        git = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
        if marks and git is not None and git != home and git not in home.parents:
            return _project(git, path, here, whole=True, reason="it holds .git")
        if marks and ".git" not in marks:
            return _project(folder, path, here, whole=True, reason=f"it holds {marks[0]}")
    return _project(path.parent, path, here, whole=False, reason="nothing marks a project")


def _project(root: Path, path: Path, here: Path, *, whole: bool, reason: str) -> Project:
    inside = here == root or root in here.parents
    folder = here.relative_to(root) if inside else path.parent.relative_to(root)
    return Project(root, path.relative_to(root), folder, whole, reason)


def list_files(project: Project) -> list[str]:
    """Paths of files and symlinks below the root, with `/`, sorted.

    Raises:
        UsageError: there are far too many.
    """
    if not project.whole:
        beside = {entry.name for entry in os.scandir(project.root) if _module(entry)}
        return sorted(beside | {project.script.as_posix()})
    found = _by_git(project.root)
    if found is None:
        found = _by_rules(project.root)
    script = project.script.as_posix()
    if script not in found:
        found.append(script)  # an ignored script was named by the user
    return sorted(set(found))


def _module(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".py") and entry.is_file(follow_symlinks=False)


def _by_git(root: Path) -> list[str] | None:
    """git's own answer; None where it has none."""
    from x11fwd.transports.local import LocalTransport

    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    # fsmonitor would start a program that the repository names
    words = ("git", "-c", "core.fsmonitor=false", "-C", str(root), "ls-files", "-z", "--cached", "--others")
    try:
        answer = LocalTransport().run((*words, "--exclude-standard", "--deduplicate", "--", "."))
        if not answer.ok:  # --deduplicate came with git 2.31
            answer = LocalTransport().run((*words, "--exclude-standard", "--", "."))
    except X11fwdError:
        return None
    if not answer.ok:
        return None
    names = [os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]
    _bound(len(names), root)
    found = []
    for name in names:
        path = root / name
        if path.is_symlink() or path.is_file():
            found.append(name)
        elif path.is_dir():  # a submodule, or a repository inside: named as one by git
            found += [f"{name.rstrip('/')}/{one}" for one in _by_git(path) or _by_rules(path)]
    return found


def _by_rules(root: Path) -> list[str]:
    found: list[str] = []
    for name in _walk(root, "", ()):
        found.append(name)
        _bound(len(found), root)
    return found


def _bound(count: int, root: Path) -> None:
    if count > _MOST:
        raise UsageError(
            f"{root} holds more than {_MOST:,} files",
            hint="`--sync DIR` names a smaller folder, .gitignore leaves things off",
        )


def _walk(folder: Path, prefix: str, rules: tuple[tuple[str, GitIgnoreSpec], ...]) -> Iterator[str]:
    own = _rules_of(folder)
    if own is not None:
        rules = (*rules, (prefix, own))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from error
    for entry in entries:
        name = f"{prefix}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in _NEVER or entry.name in _DROSS or _ignored(name, is_folder, rules):
            continue
        if is_folder:
            yield from _walk(Path(entry.path), f"{name}/", rules)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield name


def _rules_of(folder: Path) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(text.splitlines())


def _ignored(name: str, is_folder: bool, rules: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    """The deepest .gitignore that speaks about it decides (gitignore(5), order of precedence)."""
    for prefix, spec in reversed(rules):
        answer = spec.check_file(name[len(prefix) :] + ("/" if is_folder else ""))
        if answer.include is not None:
            return answer.include
    return False
