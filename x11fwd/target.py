"""Targets: what the user typed, and what ssh says it means; pure values, imported by everything above."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from x11fwd.errors import UsageError

__all__ = ["SshConfig", "SshOptions", "Target", "parse_ssh_g", "parse_target"]


@dataclass(frozen=True)
class SshOptions:
    """The ssh options given on our command line, spelled as ssh(1) has them.

    Attributes:
        port: `-p`/`-P` port number.
        identity_files: `-i`, in order.
        jump: `-J` destination list.
        config_file: `-F` file; `none` is ssh's word for no file at all.
        login: `-l` login name.
        options: `-o Key=Value` texts, in order (the first value wins, as in ssh_config(5)).
    """

    port: int | None = None
    identity_files: tuple[str, ...] = ()
    jump: str | None = None
    config_file: str | None = None
    login: str | None = None
    options: tuple[str, ...] = ()

    def argv(self) -> tuple[str, ...]:
        """The options as arguments of ssh, without a destination."""
        words: list[str] = []
        if self.config_file is not None:
            words += ["-F", self.config_file]
        if self.port is not None:
            words += ["-p", str(self.port)]
        if self.login is not None:
            words += ["-l", self.login]
        for identity in self.identity_files:
            words += ["-i", identity]
        if self.jump is not None:
            words += ["-J", self.jump]
        for option in self.options:
            words += ["-o", option]
        return tuple(words)


@dataclass(frozen=True)
class Target:
    """One destination, as typed and taken apart; nothing has been resolved yet.

    Attributes:
        typed: the text the user gave; reports and JSON name the target by it.
        host: host name, address or ssh_config alias, without brackets.
        user: login name in the text itself, or None.
        port: port in the text itself, or None.
        options: the ssh options given beside it.
    """

    typed: str
    host: str
    user: str | None = None
    port: int | None = None
    options: SshOptions = field(default_factory=SshOptions)

    def ssh_argv(self) -> tuple[str, ...]:
        """Options and destination for any call of ssh; the destination comes last, after `--`.

        A port or user inside the target wins over `-p` and `-l`, as in ssh(1) `ssh://` destinations.
        """
        words = list(self.options.argv())
        if self.port is not None:
            # the first value wins in ssh; put ours before a -p of the same command line
            words = ["-p", str(self.port), *words]
        destination = f"{self.user}@{self.host}" if self.user else self.host
        return (*words, "--", destination)


_HOST = re.compile(r"^[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*)$")
_IPV6 = re.compile(r"^[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.\-]+)?$")
_USER = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.\-+@\\$]*$")


def parse_target(text: str, options: SshOptions | None = None) -> Target:
    """Take a target apart: `host`, `user@host`, `user@host:port`, `ssh://user@host:port`, IPv6 in brackets.

    Raises:
        UsageError: it starts with `-`, holds shell characters, or is no target at all.
    """
    raise NotImplementedError


@dataclass(frozen=True)
class SshConfig:
    """What `ssh -G` answered: every keyword in lower case with its values in order (ssh(1), `-G`)."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def first(self, keyword: str) -> str | None:
        """The first value of a keyword, None where ssh printed none."""
        return next(iter(self.values.get(keyword.lower(), ())), None)

    def all(self, keyword: str) -> tuple[str, ...]:
        """All values of a keyword that may stand several times (`identityfile`, `sendenv`)."""
        return self.values.get(keyword.lower(), ())


def parse_ssh_g(text: str) -> SshConfig:
    """Read the output of `ssh -G`.

    Raises:
        UsageError: the text is not what ssh prints.
    """
    raise UsageError("not written yet")
