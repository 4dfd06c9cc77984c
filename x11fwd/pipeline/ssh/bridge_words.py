"""Which words the three calls of ssh get: the master, the session and the bridge's channel; pure.

All three get the user's own options, so that they mean the same host, the same keys and the same terminal;
those that one of them must not have are left out, and ours stand in front, because ssh keeps the first value
that it meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine

_TERMINAL = "tT"
_X11 = "xXY"
_WAY = "SOWQ"  # options with an argument that say over which connection, or are no session
_FORCED = frozenset({"force"})
_NO = frozenset({"", "no", "none", "false"})


def needs_plain_ssh(line: CommandLine, config: Mapping[str, str]) -> str:
    """Why the bridge is not for this call, a clause; "" where it is.

    Args:
        config: what `ssh -G` says for this call, first value of each keyword.
    """
    if line.has("M"):
        return "-M makes this very process the shared connection"
    if line.has("y"):
        return "-y sends all messages to the system's log"
    if config.get("sessiontype", "default") != "default":
        return "SessionType says that there is no shell"
    if "%" in config.get("remotecommand", "none"):
        return "RemoteCommand has tokens that only ssh itself fills in"
    return ""


def remote_command(line: CommandLine, config: Mapping[str, str]) -> str:
    """The user's command as ssh would send it, "" for a login."""
    if line.command:
        return " ".join(line.command)  # ssh.c, the loop over av
    command = config.get("remotecommand", "none")
    return "" if command in _NO else command


def wants_background(line: CommandLine, config: Mapping[str, str]) -> bool:
    """-f: the prompt comes back once the user is logged in."""
    return line.has("f") or config.get("forkafterauthentication", "no") not in _NO


def wants_terminal(line: CommandLine, config: Mapping[str, str]) -> bool:
    """A terminal over there, if there is one here (ssh.c, the lines that set tty_flag)."""
    wanted = config.get("requesttty", "auto")
    return wanted in _FORCED | {"yes", "true"} or (
        wanted not in {"no", "false"} and not remote_command(line, config)
    )


def forces_terminal(config: Mapping[str, str]) -> bool:
    """A terminal over there, even if there is none here (-tt)."""
    return config.get("requesttty") in _FORCED


def own_words(line: CommandLine, without: str) -> list[str]:
    """The user's options, but for some letters."""
    words = [f"-{flag}" for flag in line.flags if flag not in without]
    for letter, value in line.values:
        if letter not in without:
            words += [f"-{letter}", value]
    return words


def master_words(
    line: CommandLine, config: Mapping[str, str], control: str, forwarding: list[str]
) -> list[str]:
    """`ssh` for the login: it asks what it has to, goes to the background and keeps the connection.

    Args:
        control: path of its socket.
        forwarding: what the native route would put in front, for a session that has to take it.
    """
    ours = ["-f", "-N", "-M", "-S", _plain(control), "-o", "ControlPersist=no"]
    if config.get("remotecommand", "none") not in _NO:
        ours += ["-o", "RemoteCommand=none"]  # from 7.6 on; older ones have never heard of it
    return ["ssh", *ours, *forwarding, *own_words(line, f"fnN{_TERMINAL}{_WAY}"), *_place(line)]


def session_words(
    line: CommandLine,
    config: Mapping[str, str],
    control: str,
    command: str | None,
    *,
    native: bool,
    terminal: bool,
) -> list[str]:
    """`ssh` for the session, over an open connection.

    Args:
        command: the wrapped one; None for a login as ssh itself makes it.
        native: ask for ssh's own forwarding.
        terminal: there is one over there, see `wants_terminal`.
    """
    asked = ["-t", "-t"] if terminal else ["-T"]
    ours = [*_over(control), *asked, "-X" if native else "-x"]
    if config.get("remotecommand", "none") not in _NO:
        ours += ["-o", "RemoteCommand=none"]
    if config.get("forkafterauthentication", "no") not in _NO:
        ours += ["-o", "ForkAfterAuthentication=no"]
    kept = own_words(line, f"fNDLRw{_TERMINAL}{_X11}{_WAY}")
    if wants_background(line, config):
        ours.append("-n")
    return ["ssh", *ours, *kept, *_place(line), *([] if command is None else [command])]


def probe_words(line: CommandLine, config: Mapping[str, str], control: str) -> list[str]:
    """`ssh` that only asks for X11 forwarding, over an open connection; standard error has the answer."""
    ours = [*_over(control), "-T", "-n", "-X", "-a", "-o", "BatchMode=yes", "-o", "PermitLocalCommand=no"]
    ours += ["-o", "LogLevel=INFO"]
    if config.get("remotecommand", "none") not in _NO:
        ours += ["-o", "RemoteCommand=none"]
    if config.get("forkafterauthentication", "no") not in _NO:
        ours += ["-o", "ForkAfterAuthentication=no"]
    return ["ssh", *ours, *own_words(line, f"AKCEefgnNqvy{_TERMINAL}{_X11}{_WAY}DLRw"), *_place(line), "true"]


def channel_words(line: CommandLine, config: Mapping[str, str], control: str) -> list[str]:
    """`ssh` for the bridge's channel, its command to be added; it never asks, whatever happens to the master.

    Where the server takes one session for each connection (MaxSessions 1), ssh makes another connection by
    itself, which succeeds where no question has to be asked.
    """
    ours = [*_over(control), "-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "PermitLocalCommand=no"]
    ours += ["-o", "LogLevel=INFO"]
    if config.get("remotecommand", "none") not in _NO:
        ours += ["-o", "RemoteCommand=none"]
    if config.get("forkafterauthentication", "no") not in _NO:
        ours += ["-o", "ForkAfterAuthentication=no"]
    if config.get("stdinnull", "no") not in _NO:
        ours += ["-o", "StdinNull=no"]
    # -A, -v, -E, -q and -e are for the person's own session; the forwards are the master's
    return ["ssh", *ours, *own_words(line, f"AKCEefgnNqvy{_TERMINAL}{_X11}{_WAY}DLRw"), *_place(line)]


def exit_words(control: str) -> list[str]:
    """`ssh` that ends the master."""
    return ["ssh", "-F", "none", "-S", _plain(control), "-O", "exit", "-q", "x11fwd"]


def _over(control: str) -> list[str]:
    # the forwards are the master's: a session that asks for them again would be told that they are taken
    return ["-S", _plain(control), "-o", "ControlMaster=no", "-o", "ClearAllForwardings=yes"]


def _plain(path: str) -> str:
    return path.replace("%", "%%")


def _place(line: CommandLine) -> list[str]:
    return ["--", line.destination or ""]
