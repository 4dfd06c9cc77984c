"""ssh's command line, read with ssh's own rules; `ssh_session` and `decision` import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# ssh.c, the call of getopt in main(), OpenSSH 7.4 to 10.5. `-P` is an option with an argument since 9.4, and
# before was one without that led to the usage text, so reading it with one changes nothing that works.
FLAGS = "1246ACGKMNTVXYZafgknqstvxy"
WITH_ARGUMENT = "BDEFIJLOPQRSWbceilmopw"

# What `x11fwd doctor` and `setup` understand too, so that a suggestion can repeat it.
_SHARED = frozenset("FJilop")


class CommandLine:
    """One call of ssh, taken apart.

    Attributes:
        words: all arguments, as given; a target `user@host:port` became `-p port user@host`.
        flags: letters of the options without argument, in order, repeated ones repeated.
        values: letter and argument of the others, in order.
        settings: keyword in lower case and value of each `-o`, in order; the first one of a keyword counts.
        destination: the host as typed, None where there is none.
        command: the words of the remote command.
        broken: ssh will complain about it: an unknown option, or one without its argument.
    """

    __slots__ = ("broken", "command", "destination", "flags", "settings", "values", "words")

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.flags = ""
        self.values: list[tuple[str, str]] = []
        self.settings: list[tuple[str, str]] = []
        self.destination: str | None = None
        self.command: tuple[str, ...] = ()
        self.broken = False
        self._read()

    def setting(self, keyword: str) -> str | None:
        """The value that `-o` gave a keyword (lower case), None where it did not."""
        return next((value for name, value in self.settings if name == keyword), None)

    def has(self, letters: str) -> bool:
        """True if one of these options, with or without argument, is there."""
        return any(letter in self.flags for letter in letters) or any(
            letter in letters for letter, _ in self.values
        )

    def for_doctor(self) -> tuple[str, ...]:
        """Destination and options in the words of our other commands, for a line that the user may type."""
        words: list[str] = []
        for letter, value in self.values:
            if letter in _SHARED:
                words += [f"-{letter}", value]
        return (*words, self.destination or "")

    def _read(self) -> None:
        """The loop at `again:` in ssh.c: options, the host, options once more, then the command."""
        at, terminated = self._options(0)
        if self.broken or at >= len(self.words):
            return
        self.destination, port = _without_port(self.words[at])
        options, rest = self.words[:at], self.words[at + 1 :]
        end = at - 1 if terminated else at
        if port:
            # behind the user's own options: of two ports ssh takes the first
            options = (*options[:end], "-p", port, *options[end:])
            self.values.append(("p", port))
            at += 2
        self.words = (*options, self.destination, *rest)
        at += 1
        if at < len(self.words) and not terminated:
            at, _ = self._options(at)
        self.command = self.words[at:]

    def _options(self, at: int) -> tuple[int, bool]:
        """BSDgetopt without permutation: where the options end, and whether `--` ended them."""
        start = at
        while at < len(self.words):
            word = self.words[at]
            if word == "--":
                return at + 1, True
            if not word.startswith("-") or word == "-":
                break
            at = self._cluster(word, at)
            if self.broken:
                break
        # ssh looks at the word before, even if that was an option's argument: `-l -- host` ends them too.
        return at, at > start and self.words[at - 1] == "--"

    def _cluster(self, word: str, at: int) -> int:
        for place, letter in enumerate(word[1:], start=2):
            if letter in FLAGS:
                self.flags += letter
                continue
            if letter not in WITH_ARGUMENT:
                self.broken = True
                return at
            argument = word[place:]
            if not argument:
                at += 1
                if at >= len(self.words):
                    self.broken = True
                    return at
                argument = self.words[at]
            self.values.append((letter, argument))
            if letter == "o":
                self.settings.append(_setting(argument))
            break
        return at + 1


def _without_port(destination: str) -> tuple[str, str]:
    """Destination and port of `user@host:port` and `[address]:port`, targets of our other commands too."""
    if "://" in destination:
        return destination, ""
    user, at, place = destination.rpartition("@")
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if bracket and host and (not port or (port[0] == ":" and port[1:].isdigit())):
            return f"{user}{at}{host}", port[1:]
    else:
        host, colon, port = place.partition(":")
        if colon and host and port.isdigit():
            return f"{user}{at}{host}", port
    return destination, ""


def _setting(text: str) -> tuple[str, str]:
    """`Key=Value`, `Key Value` or `Key = "Value"` as readconf.c takes them."""
    text = text.strip()
    end = next((at for at, letter in enumerate(text) if letter in " \t="), len(text))
    value = text[end:].strip(" \t")
    if value.startswith("="):
        value = value[1:].strip(" \t")
    return text[:end].lower(), value.strip('"').lower() if len(value) < 64 else value
