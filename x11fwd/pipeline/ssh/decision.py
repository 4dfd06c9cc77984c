"""Which options ssh gets from us beside the user's, and why; pure, `ssh_session` imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.link import LAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine

# Programs that speak a protocol on their standard streams and never open a window: what git, rsync, scp, sftp
# and the like run over there. ssh is called for them as plain as the user wrote it.
_WINDOWLESS = frozenset(
    {
        "git-lfs-authenticate",
        "git-lfs-transfer",
        "git-receive-pack",
        "git-upload-archive",
        "git-upload-pack",
        "internal-sftp",
        "sftp-server",
    }
)
_WINDOWLESS_PAIRS = frozenset(
    {
        ("borg", "serve"),
        ("git", "receive-pack"),
        ("git", "upload-archive"),
        ("git", "upload-pack"),
        ("rsync", "--server"),
        ("scp", "-f"),
        ("scp", "-t"),
    }
)
# readconf.c, keywords that say that X11 is wanted or not; the user's own value wins.
_OWN_CHOICE = ("forwardx11", "forwardx11trusted")
# With 0 ssh lets xauth choose how long the cookie lives while no window uses it, which is 60 s: the first
# plot after a minute's thought would be refused. Above 2^31 ms, 24.8 days, an assertion ends the X server
# (SecurityAuthorizationExpired in Xext/security.c); ssh adds a minute of its own.
_LONGEST = "24d"


class Screen:
    """What is known of this machine's display.

    Attributes:
        usable: a handshake succeeded.
        security: it has the SECURITY extension.
        problem: a clause for the user where it is not usable, or knows no untrusted programs.
    """

    __slots__ = ("problem", "security", "usable")

    def __init__(self, *, usable: bool, security: bool = False, problem: str = "") -> None:
        self.usable = usable
        self.security = security
        self.problem = problem


class Decision:
    """What is put before the user's own arguments, and one clause for each part of it."""

    __slots__ = ("reasons", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.reasons: list[str] = []

    def add(self, words: list[str], reason: str) -> None:
        self.words += words
        self.reasons.append(reason)


def passes_through(line: CommandLine) -> str | None:
    """Why this call goes to ssh exactly as it is, no display looked for; None where a window may open."""
    if line.broken or line.destination is None:
        return "ssh answers by itself"
    if line.has("GVQOWNs"):
        return "no session that could open a window"
    if _refused(line):
        return "X11 forwarding is switched off on the command line"
    words = " ".join(line.command).split()  # ssh joins them with spaces, and git quotes only what follows
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    if program in _WINDOWLESS or (program, words[1] if words[1:] else "") in _WINDOWLESS_PAIRS:
        return f"{program} opens no windows"
    if program == "scp" and any(word in {"-t", "-f"} for word in words[1:]):
        return "scp opens no windows"
    return None


def _refused(line: CommandLine) -> bool:
    """`-x` after the last `-X` or `-Y`, or ForwardX11=no where no letter says otherwise (ssh.c)."""
    letters = [letter for letter in line.flags if letter in "xXY"]
    return letters[-1] == "x" if letters else line.setting("forwardx11") in {"no", "false"}


def decide(
    line: CommandLine,
    config: Mapping[str, str],
    screen: Screen,
    *,
    xauth: str | None,
    master: bool,
    round_trip: float | None,
) -> Decision:
    """Choose.

    Args:
        config: what `ssh -G` answered for this very command line; first value of each keyword.
        xauth: the xauth program that there is: ssh's own choice if that exists, else the one found.
        master: a socket stands at the configured ControlPath.
        round_trip: seconds to the host, None where unknown.
    """
    decision = Decision()
    _forwarding(decision, line, screen, xauth)
    wanted = config.get("xauthlocation")
    if xauth is not None and xauth != wanted and line.setting("xauthlocation") is None:
        decision.add(["-o", f"XAuthLocation={xauth}"], f"ssh's xauth ({wanted}) is missing, {xauth} is there")
    asked_for = line.has("SM") or any(
        line.setting(one) is not None for one in ("controlpath", "controlmaster")
    )
    if master and not asked_for:
        decision.add(
            ["-S", "none"],
            "a connection is open already; whether it forwards X11 to this display is not known, "
            "so this login is one of its own (-S none)",
        )
    _compression(decision, line, config, round_trip)
    return decision


def _forwarding(decision: Decision, line: CommandLine, screen: Screen, xauth: str | None) -> None:
    if line.has("XY") or any(line.setting(keyword) is not None for keyword in _OWN_CHOICE):
        words = [] if line.has("XY") or line.setting("forwardx11") is not None else ["-X"]
        decision.add(words, "X11 forwarding as the command line says")
        return
    if not screen.usable:
        decision.add(["-X"], screen.problem)
        return
    if screen.security and xauth is not None:
        words = ["-X", "-o", "ForwardX11Trusted=no"]
        if line.setting("forwardx11timeout") is None:
            words += ["-o", f"ForwardX11Timeout={_LONGEST}"]
        decision.add(words, "untrusted forwarding: the X server keeps remote programs from spying on others")
        return
    none = screen.problem or "the X server has no SECURITY extension"
    missing = none if not screen.security else "there is no xauth"
    decision.add(["-Y"], f"trusted forwarding: {missing}, so untrusted programs are not possible")


def _compression(
    decision: Decision, line: CommandLine, config: Mapping[str, str], round_trip: float | None
) -> None:
    if round_trip is None or line.has("C") or line.setting("compression") is not None:
        return
    if round_trip >= LAN and config.get("compression") != "yes":
        decision.add(["-C"], f"compression: {round_trip * 1000:.0f} ms of round trip is slower than a LAN")
