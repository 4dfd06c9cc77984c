"""Targets: what the user typed, and what ssh says it means; pure values, imported by everything above."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

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

        ssh keeps the first value it meets (ssh.c), so `-p`, `-l` and `-o` given beside the target win over a
        port or user inside it, as in `ssh -p 1 -l ana ssh://bob@host:2`.
        """
        words = list(self.options.argv())
        if self.port is not None:
            words += ["-p", str(self.port)]
        destination = f"{self.user}@{self.host}" if self.user else self.host
        return (*words, "--", destination)


# Narrower than ssh_valid_hostname and ssh_valid_ruser in OpenSSH's readconf.c, which list what is forbidden:
# nothing that a shell, a file name or ssh's own %-tokens could read as something else gets through.
_HOST = re.compile(r"\w[\w.+\-]*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.\-]+)?")
_USER = re.compile(r"\w(?:[\w.\-+@\\]*[\w.\-+@])?\$?")
_SCHEME = "ssh://"


def parse_target(text: str, options: SshOptions | None = None) -> Target:
    """Take a target apart: `host`, `user@host`, `user@host:port`, `ssh://user@host:port`, IPv6 in brackets.

    A bare IPv6 address has no port. In `user@domain@host` the last `@` counts, as in ssh.

    Raises:
        UsageError: it starts with `-`, holds shell characters, or is no target at all.
    """
    if text.startswith("-"):
        raise UsageError(
            f"a target cannot start with a dash: {text!r}", hint="options come before the target"
        )
    is_url = text.startswith(_SCHEME)
    rest = text[len(_SCHEME) :] if is_url else text
    # misc.c: parse_uri takes the first `@` of a URL (others are %40), ssh.c the last one of a plain target
    user, at, place = rest.partition("@") if is_url else rest.rpartition("@")
    if is_url:
        import urllib.parse

        user = urllib.parse.unquote(user.partition(";")[0])
        place = place if at else rest
        user = user if at else ""
        place = place.removesuffix("/")
    if at and not user:
        raise UsageError(f"the target {text!r} has an empty user name before the `@`")
    if ":" in user:
        # the text is not repeated: what follows the colon is probably a password
        raise UsageError(
            "a user name holds no colon", hint="leave the password out of the target; it will be asked for"
        )
    if user and not _USER.fullmatch(user):
        raise UsageError(f"the user name {user!r} holds characters that no ssh user name has")
    host, port = _split_port(text, place)
    if not (_HOST.fullmatch(host) or _IPV6.fullmatch(host)):
        raise UsageError(f"{host!r} is no host name, address or ssh_config alias", hint=_SHAPE)
    return Target(typed=text, host=host, user=user or None, port=port, options=options or SshOptions())


_SHAPE = "a target looks like `user@host`, `user@host:port` or `ssh://user@host:port`"


def _split_port(text: str, place: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` and a bare v6 address."""
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
            raise UsageError(f"the brackets in {text!r} hold no IPv6 address", hint=_SHAPE)
        return host, _port(text, rest[1:]) if rest else None
    if place.count(":") != 1:
        return place, None
    host, _, digits = place.partition(":")
    return host, _port(text, digits)


def _port(text: str, digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 65535):
        raise UsageError(f"{digits!r} in {text!r} is no port number (1 to 65535)")
    return int(digits)


@dataclass(frozen=True)
class SshConfig:
    """What `ssh -G` answered: every keyword in lower case with its values in order (ssh(1), `-G`).

    Paths are as ssh prints them: with `~` and %-tokens where it expands those only later.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def first(self, keyword: str) -> str | None:
        """The first value of a keyword, None where ssh printed none."""
        return next(iter(self.values.get(keyword.lower(), ())), None)

    def all(self, keyword: str) -> tuple[str, ...]:
        """All values of a keyword that may stand several times (`identityfile`, `sendenv`)."""
        return self.values.get(keyword.lower(), ())

    def is_yes(self, keyword: str) -> bool:
        """True for `yes` and `true`; False for every other word and where ssh printed none."""
        return (self.first(keyword) or "").lower() in {"yes", "true"}

    def named(self, keyword: str) -> str | None:
        """The first value, None also where it is ssh's word `none`."""
        value = self.first(keyword)
        return None if value is None or value.lower() == "none" else value

    def number(self, keyword: str) -> int | None:
        """The first value as a number, None where it is absent, `none`, or no number."""
        value = self.first(keyword) or ""
        return int(value) if value.isascii() and value.isdigit() else None

    def paths(self, keyword: str) -> tuple[str, ...]:
        """The file names of a keyword whose values ssh prints on one line, without `none`.

        ssh prints no quotes, so a name with a space looks like two; a word that cannot begin a file name of
        its own (no `/`, `~`, `%` or `$` in front) is taken as the rest of the one before it.
        """
        found: list[str] = []
        for line in self.all(keyword):
            for word in line.split(" "):
                if found and word and word[0] not in "/~%$" and word != "none":
                    found[-1] += f" {word}"
                elif word:
                    found.append(word)
        return tuple(name for name in found if name.lower() != "none")

    @property
    def hostname(self) -> str:
        """The name or address that ssh would connect to, `""` where nothing was resolved."""
        return self.first("hostname") or ""

    @property
    def user(self) -> str:
        return self.first("user") or ""

    @property
    def port(self) -> int:
        return self.number("port") or 22

    @property
    def identity_files(self) -> tuple[str, ...]:
        return tuple(name for name in self.all("identityfile") if name.lower() != "none")

    @property
    def certificate_files(self) -> tuple[str, ...]:
        return tuple(name for name in self.all("certificatefile") if name.lower() != "none")

    @property
    def user_known_hosts_files(self) -> tuple[str, ...]:
        return self.paths("userknownhostsfile")

    @property
    def global_known_hosts_files(self) -> tuple[str, ...]:
        return self.paths("globalknownhostsfile")

    @property
    def host_key_alias(self) -> str | None:
        return self.named("hostkeyalias")

    @property
    def proxy_jump(self) -> str | None:
        """The comma-separated list of `-J`, None where there is no jump host."""
        return self.named("proxyjump")

    @property
    def proxy_command(self) -> str | None:
        return self.named("proxycommand")

    @property
    def control_path(self) -> str | None:
        return self.named("controlpath")

    @property
    def identity_agent(self) -> str | None:
        """`IdentityAgent` as written (a path, `SSH_AUTH_SOCK`, `$NAME`, `none`), None where it is not set."""
        return self.first("identityagent")

    @property
    def connect_timeout(self) -> int | None:
        """Seconds; None where the system's own limit holds."""
        return self.number("connecttimeout")

    @property
    def xauth_location(self) -> str | None:
        return self.named("xauthlocation")


_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def parse_ssh_g(text: str) -> SshConfig:
    """Read the output of `ssh -G`.

    Raises:
        UsageError: the text is not what ssh prints.
    """
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.strip().partition(" ")
        if not keyword:
            continue
        if not _KEYWORD.fullmatch(keyword):
            raise UsageError(f"`ssh -G` printed a line that is no setting: {line!r}")
        values.setdefault(keyword.lower(), []).append(value.strip())
    for needed in ("hostname", "port", "user"):
        if needed not in values:
            raise UsageError(f"`ssh -G` printed no `{needed}`", hint="x11fwd needs OpenSSH 6.8 or newer")
    return SshConfig(MappingProxyType({keyword: tuple(lines) for keyword, lines in values.items()}))
