"""What a host's file tree holds, and the difference of two such records; tests and hosts use it."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab.runs import call, current_run

# What may change on a host to which nobody did anything, and why. Patterns of fnmatch, whole paths; a folder
# stands for all below it. Nothing else is ignored: a test that needs more passes it to diff().
VOLATILE: dict[str, str] = {
    "/proc": "the kernel's",
    "/sys": "the kernel's",
    "/dev": "devices, made anew at each start",
    "/run": "runtime state, empty after a boot",
    "/tmp": "anybody's, cleaned by systemd-tmpfiles",
    "/var/tmp/systemd-private-*": "systemd's private /tmp of services",
    "/var/log": "logs of sshd, apt, dpkg, logins",
    "/var/cache": "caches of apt, debconf, ldconfig, man",
    "/var/lib/apt/lists": "what `apt-get update` fetched",
    "/var/lib/apt/periodic": "time stamps of `apt-get update`",
    "/var/lib/dpkg/*-old": "dpkg's copy of its database before the last run",
    "/var/lib/ucf/hashfile.*": "ucf's copies of its database before the last runs",
    "/var/lib/dpkg/lock*": "dpkg's empty lock files",
    "/var/lib/dpkg/triggers/Lock": "dpkg's empty lock file",
    "/var/lib/systemd/random-seed": "systemd saves it at each start and stop",
    "/var/lib/systemd/timers": "time stamps of timers",
    "/var/lib/systemd/timesync": "time stamp of the clock",
    "/var/lib/systemd/credential.secret": "systemd makes it when it first needs it",
    "/var/lib/sudo/lectured": "sudo notes whom it has lectured",
    "/home/*/.sudo_as_admin_successful": "Debian's sudo notes who has used it",
    "/var/lib/private": "state of services with dynamic users",
    "/var/lib/lastlog": "logins (Debian 13)",
    "/var/lib/wtmpdb": "logins (Debian 13)",
    "/root/.cache": "caches of programs run by root",
}

# Databases whose entries may stand in any order, which depends on history: what separates the entries.
# Priority and Section are left out: with each install dpkg copies what the archive says into all its entries.
UNORDERED: dict[str, bytes] = {
    "/var/lib/dpkg/status": b"\n\n",
    "/var/lib/apt/extended_states": b"\n\n",
    "/var/lib/dpkg/triggers/File": b"\n",
}


@dataclass(frozen=True)
class Node:
    """One entry of a tree: what it is, whose, and what it holds (digest of a file, target of a link)."""

    kind: str  # file, dir, link, char, block, fifo, socket
    mode: int  # permission bits with set-user-ID, set-group-ID and sticky
    uid: int
    gid: int
    size: int  # bytes of a regular file, else 0: a folder's size depends on its history
    content: str  # sha256 of a regular file, target of a link, major:minor of a device, else empty


@dataclass(frozen=True)
class Change:
    """One difference between two trees; ``before`` or ``after`` is None where the entry did not exist."""

    path: str
    before: Node | None
    after: Node | None

    def __str__(self) -> str:
        if self.before is None:
            return f"added   {self.path}"
        if self.after is None:
            return f"removed {self.path}"
        what = [
            n
            for n in ("kind", "mode", "uid", "gid", "size", "content")
            if getattr(self.before, n) != getattr(self.after, n)
        ]
        return f"changed {self.path} ({', '.join(what)})"


class Tree(Mapping[str, Node]):
    """Every entry of a file tree by its absolute path, volatile places left out."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = dict(nodes)

    def __getitem__(self, path: str) -> Node:
        return self.nodes[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"Tree of {len(self)} entries"


def diff(before: Tree, after: Tree, *, ignore: Iterable[str] = ()) -> list[Change]:
    """What differs between two trees, by path; ``ignore`` takes further patterns like those of VOLATILE."""
    patterns = tuple(ignore)
    # by identity first: what nobody has touched is the same object in both
    differ = [path for path, node in before.nodes.items() if after.nodes.get(path) is not node]
    differ += [path for path in after.nodes if path not in before.nodes]
    changes = []
    for path in sorted(differ):
        old, new = before.get(path), after.get(path)
        if old != new and not matches(path, patterns):
            changes.append(Change(path, old, new))
    return changes


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is one of the patterns or lies below one."""
    return any(fnmatch.fnmatchcase(path, p) or fnmatch.fnmatchcase(path, f"{p}/*") for p in patterns)


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every regular file below a folder, by its absolute path inside."""
    found = {}
    for path, node in _walk(folder, lambda _: None):
        if node.kind == "file":
            found[path] = node.content
    return found


@dataclass(frozen=True)
class Base:
    """What layers alone show, before anybody has written: every entry, and the names in each folder."""

    nodes: dict[str, Node]
    names: dict[str, list[str]]


def take(root: Path, upper: Path, layers: Iterable[Path]) -> Tree:
    """Record the merged tree of an overlay.

    Only folders that the upper folder has are looked into, all else is as the layers are: overlayfs copies an
    entry up, with the folders above it, before anything in it changes (kernel, filesystems/overlayfs.rst).
    """
    base = _base(tuple(layers))
    nodes = dict(base.nodes)
    stack = [""]
    while stack:
        folder = stack.pop()
        place = Path(f"{upper}{folder}")
        written = {one.name for one in place.iterdir()} if place.exists() else set()
        here = set()
        for path, entry in _entries(root, folder):
            here.add(entry.name)
            if entry.name not in written and path in base.nodes:
                continue
            info = entry.stat(follow_symlinks=False)
            nodes[path] = _node(f"{root}{path}", info, None, UNORDERED.get(path))
            if stat.S_ISDIR(info.st_mode):
                stack.append(path)
            else:  # maybe in the place of a folder
                _forget(nodes, base, path)
        for name in base.names.get(folder, ()):
            if name not in here:
                nodes.pop(f"{folder}/{name}", None)
                _forget(nodes, base, f"{folder}/{name}")
    return Tree(nodes)


def take_all(root: Path, upper: Path, layers: Iterable[Path]) -> Tree:
    """Record the same by a look at each entry, for a test of `take`."""
    digest = _recorded(layers)
    return Tree(dict(_walk(root, lambda path: None if os.path.lexists(f"{upper}{path}") else digest(path))))


def _recorded(layers: Iterable[Path]) -> Callable[[str], str | None]:
    """The digest of a file as the layers have it, from when its layer was built."""
    indexes: list[dict[str, str]] = [
        json.loads((layer.parent / "index.json").read_text(encoding="utf-8")) for layer in layers
    ]
    return lambda path: next((index[path] for index in indexes if path in index), None)


def _forget(nodes: dict[str, Node], base: Base, folder: str) -> None:
    """Leave out what the layers have below a path."""
    for name in base.names.get(folder, ()):
        nodes.pop(f"{folder}/{name}", None)
        _forget(nodes, base, f"{folder}/{name}")


@cache
def _base(layers: tuple[Path, ...]) -> Base:
    root, mounted = layers[0], None
    if len(layers) > 1:  # the kernel knows best what of them is seen
        root = mounted = current_run().claim("layers")
        lower = ":".join(str(layer) for layer in layers)
        call(["mount", "-t", "overlay", "-o", f"ro,lowerdir={lower}", "x11fwd-lab", str(root)])
    nodes = dict(_walk(root, _recorded(layers)))
    if mounted:
        call(["umount", str(mounted)])
    names: dict[str, list[str]] = {}
    for path in nodes:
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, []).append(name)
    return Base(nodes, names)


_EXACT = frozenset(path for path in VOLATILE if "*" not in path)
_WILD = re.compile("|".join(fnmatch.translate(path) for path in VOLATILE if "*" in path))


def _entries(root: Path, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What a folder holds and is not volatile, by its path inside."""
    with os.scandir(f"{root}{folder or '/'}") as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if path not in _EXACT and not _WILD.match(path):
                yield path, entry


def _walk(root: Path, known: Callable[[str], str | None]) -> Iterator[tuple[str, Node]]:
    stack = [""]
    while stack:
        for path, entry in _entries(root, stack.pop()):
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                stack.append(path)
            digest = None if path in UNORDERED else known(path)
            yield path, _node(f"{root}{path}", info, digest, UNORDERED.get(path))


def _node(real: str, info: os.stat_result, digest: str | None, separator: bytes | None) -> Node:
    mode = info.st_mode
    size, content = 0, ""
    if stat.S_ISREG(mode):
        kind, size = "file", info.st_size
        if digest is None:
            data = Path(real).read_bytes()
            if separator:
                data = re.sub(rb"(?m)^(Priority|Section): .*\n", b"", data)
                data = separator.join(sorted(data.strip().split(separator)))
                size = len(data)
            digest = hashlib.sha256(data).hexdigest()
        content = digest
    elif stat.S_ISLNK(mode):
        kind, content = "link", str(Path(real).readlink())
    elif stat.S_ISDIR(mode):
        kind = "dir"
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        kind = "char" if stat.S_ISCHR(mode) else "block"
        content = f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
    else:
        kind = "fifo" if stat.S_ISFIFO(mode) else "socket"
    return Node(kind, stat.S_IMODE(mode), info.st_uid, info.st_gid, size, content)
