"""XQuartz on macOS: launchd, its helper, its settings, its log; for facts/desktop alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.answers import Answers

__all__ = ["MacFacts", "find_mac"]

# `defaults read DOMAIN` prints an old-style property list: `    "nolisten_tcp" = 1;` with or without quotes
_SETTING = re.compile(r'^ {4}"?(?P<name>[\w. -]+?)"? = (?P<value>[^({].*);$')
_ARGUMENT = re.compile(r"^\s*argv\[(?P<place>\d+)\] = (?P<word>.*)$")
_CHOICES = frozenset({"nolisten_tcp", "no_auth", "enable_iglx", "app_to_run", "login_shell", "startx_script"})


@dataclass(frozen=True)
class MacFacts:
    """XQuartz as launchd, the file system and its own log show it.

    Attributes:
        installed: /opt/X11/bin/Xquartz or XQuartz.app is there.
        launchd_display: `launchctl getenv DISPLAY`: what new programs of this login get; None for nothing.
        launchd_socket: the socket that it names is there.
        display_there: the socket that $DISPLAY names is there; None where it names no path.
        agent: `launchctl print gui/UID/org.xquartz.startx` knows the agent that owns DISPLAY.
        helper: `launchctl print system` lists the privileged helper that makes /tmp/.X11-unix after boot.
        disabled: its items that launchd has been told not to start, by label.
        running: an Xquartz process lives.
        socket_folder: /tmp/.X11-unix is there.
        settings: `defaults read org.xquartz.X11`, the keys that matter here.
        old_settings: those of org.macosforge.xquartz.X11, which versions before 2.8 used.
        old_written_since: the old settings were written after XQuartz was installed.
        log_file, log: the newest log below ~/Library/Logs/X11 and its last lines.
    """

    installed: bool = False
    launchd_display: str | None = None
    launchd_socket: bool = False
    display_there: bool | None = None
    agent: bool | Unknown = Unknown("not asked")
    helper: bool | Unknown = Unknown("not asked")
    disabled: tuple[str, ...] = ()
    running: bool = False
    socket_folder: bool = True
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    old_settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    old_written_since: bool = False
    log_file: str | None = None
    log: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words that the X server was last started with, by its log; empty where it does not say."""
        words: list[str] = []
        for line in self.log:
            match = _ARGUMENT.match(line)
            if match and match["place"] == "0":
                words = []
            if match:
                words.append(match["word"].strip())
        return tuple(words) if words and words[0].endswith("Xquartz") else ()

    @property
    def complaint(self) -> str:
        """The log's first line that tells of an error, "" without one: what follows, follows from it."""
        words = ("ERROR", "(EE)", "Fatal", "Failed", "Cannot", "Unable")
        told = (line.strip() for line in self.log if any(word in line for word in words))
        return next(told, "")


def find_mac(answers: Answers, home: str | None) -> MacFacts:
    """Read the local probe's answers."""
    log = answers.all_texts("xquartz.log")
    return MacFacts(
        installed=bool(answers.all("xquartz.path")),
        launchd_display=answers.first("launchd.display"),
        launchd_socket=answers.first("launchd.socket") == "yes",
        display_there=_yes(answers.first("display.socket")),
        agent=_known(answers, "launchd.agent"),
        helper=_known(answers, "launchd.helper"),
        disabled=tuple(_labels(answers.text("launchd.disabled") or "")),
        running=bool(answers.first("xquartz.process")),
        socket_folder=answers.first("socket.folder") != "no",
        settings=_settings(answers.text("xquartz.settings") or ""),
        old_settings=_settings(answers.text("xquartz.old_settings") or ""),
        old_written_since=answers.first("xquartz.old_newer") == "yes",
        log_file=_short(log[0].label, home) if log else None,
        log=tuple(log[0].text.rstrip("\n").split("\n")) if log else (),
    )


def _known(answers: Answers, key: str) -> bool | Unknown:
    answer = _yes(answers.first(key))
    return Unknown("launchctl was not asked") if answer is None else answer


def _yes(answer: str | None) -> bool | None:
    return None if answer is None else answer == "yes"


def _labels(text: str) -> list[str]:
    """`"org.xquartz.startx" => disabled` (macOS 13) or `=> true` (before) of `launchctl print-disabled`."""
    lines = (line.partition("=>") for line in text.splitlines())
    return [name.strip().strip('"') for name, _, state in lines if state.strip() in {"disabled", "true"}]


def _settings(text: str) -> Mapping[str, str]:
    found = {}
    for line in text.splitlines():
        match = _SETTING.match(line)
        if match and match["name"] in _CHOICES:
            found[match["name"]] = match["value"].strip('"')
    return MappingProxyType(found)


def _short(path: str, home: str | None) -> str:
    return f"~{path.removeprefix(home)}" if home and path.startswith(f"{home}/") else path
