"""Which logs are meant, on which machines, and what they are called side by side; the watch line's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.target import SshOptions, Target

__all__ = ["Source", "labels", "machines", "source_of"]


@dataclass(frozen=True)
class Source:
    """One log: the machine it is on (None: this one) and its path there."""

    typed: str
    target: Target | None
    path: str


def source_of(typed: str, options: SshOptions) -> Source:
    """`host:path`, `user@host:path` or a path of this machine, as scp reads them.

    A colon after a slash belongs to the path, so `./a:b` is a file here.

    Raises:
        UsageError: it is neither.
    """
    if typed.startswith("["):
        place, colon, path = typed.rpartition("]:")
        place += "]" if colon else ""
    else:
        place, colon, path = typed.partition(":")
    if not colon or "/" in place or not place:
        if not typed:
            raise UsageError("the name of a log is empty")
        return Source(typed, None, typed)
    if not path:
        raise UsageError(f"{typed!r} names no file", hint=f"`x11fwd watch {typed}train.log`")
    return Source(typed, parse_target(place, options), path)


def machines(sources: Sequence[Source]) -> list[list[int]]:
    found: dict[str | None, list[int]] = {}
    for at, source in enumerate(sources):
        found.setdefault(source.target.typed if source.target else None, []).append(at)
    return list(found.values())


def labels(sources: Sequence[Source]) -> list[str]:
    """The shortest names that tell the logs apart: none for one alone, the hosts where each has one log."""
    if len(sources) == 1:
        return [""]
    hosts = [source.target.host if source.target else "here" for source in sources]
    if len(set(hosts)) == len(hosts):
        return hosts
    parts = [source.path.split("/") for source in sources]
    depth = 1
    while depth < 8 and len({tuple(part[-depth:]) for part in parts}) < len({tuple(part) for part in parts}):
        depth += 1
    names = ["/".join(part[-depth:]) for part in parts]
    if len(set(hosts)) > 1:
        names = [f"{host}:{name}" for host, name in zip(hosts, names, strict=True)]
    return names
