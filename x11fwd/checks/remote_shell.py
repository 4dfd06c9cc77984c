"""What the login shell and its start files do to commands: F72, F93, F94, F96 and F97; for the table."""

from __future__ import annotations

from posixpath import basename
from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.remote_user import edit, remotely
from x11fwd.facts.model import PythonKind, Unknown

# csh(1), tcsh(1), fish(1), …: what sshd hands them as `SHELL -c COMMAND` they read in a language of their own
_FOREIGN = frozenset({"csh", "tcsh", "fish", "nu", "xonsh", "elvish", "rc", "es"})
# read for commands too, not only on a terminal: bash(1) INVOCATION, zshenv, csh(1), fish
_EARLY = {"bash": "~/.bashrc", "zsh": "~/.zshenv", "csh": "~/.cshrc", "tcsh": "~/.tcshrc or ~/.cshrc"}


def auto_tmux(seen: Seen) -> Verdict:
    """F72: STIG profiles for RHEL 8 start tmux at login."""
    lines = seen.there.account.setting("tmux", "screen", "byobu")
    holds = f"no start file on {seen.host} starts tmux or screen"
    if isinstance(seen.there.account.start_lines, Unknown):
        return skip(f"nobody could look into the start files of {seen.host}")
    if not lines:
        return fine(holds)
    line = lines[-1]
    return odd(
        f"a start file on {seen.host} starts {line.name} at login; panes keep the DISPLAY of the first one",
        f"{line}; `x11fwd ssh {seen.destination} COMMAND` goes past it",
        edit(seen, line),
    )


def not_posix(seen: Seen) -> Verdict:
    """F93: csh, tcsh and fish read every command that ssh sends in their own language."""
    shell = basename(seen.there.shell)
    if shell not in _FOREIGN:
        return fine(f"the login shell on {seen.host} is {shell or 'not known'}")
    line = "set -gx DISPLAY …" if shell == "fish" else "setenv DISPLAY …"
    return fine(
        f"the login shell on {seen.host} is {shell}; x11fwd sends it only what it understands",
        f"{seen.there.shell}; lines for its start files have the form {line}",
    )


def noisy(seen: Seen) -> Verdict:
    """F94: what a start file prints comes before the output of every command; scp and sftp fail of it."""
    noise = seen.there.command_noise
    if not noise.strip():
        return fine(f"the start files on {seen.host} are silent for commands")
    line = noise.strip().splitlines()[0][:60]
    length = int.from_bytes(noise.encode("utf-8", "surrogateescape")[:4].ljust(4, b"\n"), "big")
    shell = basename(seen.there.shell)
    file = _EARLY.get(shell, "the start files of the login shell")
    guard = "case $- in *i*) ;; *) return ;; esac" if shell in {"bash", "zsh"} else "a test for a terminal"
    return odd(
        f"start files on {seen.host} print text into every remote command; scp and sftp fail of it",
        f"`ssh {seen.host} true` prints {line!r}, and scp says: Received message too long {length}; "
        f"{guard} at the top of {file} keeps them silent",
        remotely(seen, f"${{EDITOR:-vi}} {file.split()[0]}", terminal=True) if shell in _EARLY else None,
    )


def macos(seen: Seen) -> Verdict:
    """F96: Aqua's Tk, Qt's cocoa and the macosx backend draw on the Mac's own screen."""
    if seen.there.system.kernel != "Darwin":
        return fine(f"{seen.host} is no Mac: its toolkits speak X11")
    python = seen.there.python
    if python and (python.kind is PythonKind.CONDA or python.path.startswith("/opt/local/")):
        return unknown(
            f"whether Python on {seen.host}, a Mac, has a Tk for X11",
            f'settled by: {quote(python.path)} -c \'import tkinter; print(tkinter.Tk().tk.call("tk", '
            '"windowingsystem"))\', which has to print x11',
        )
    return bad(
        f"{seen.host} is a Mac: its Tk, Qt and matplotlib open windows on its own screen and know no X11",
        f"{seen.there.system.pretty_name or 'Darwin'}; a Python of MacPorts with tk +x11 does, or "
        "plots in the browser",
        remotely(seen, "MPLBACKEND=WebAgg python3 plot.py"),
    )


def no_profile(seen: Seen) -> Verdict:
    """F97: ~/.profile, conda init and modules are skipped where no login shell runs."""
    plain = seen.there.account.plain_python
    python = seen.there.python
    same = f"`ssh {seen.host} python3` gets the Python that a login shell gets"
    if isinstance(plain, Unknown) or plain is None or python is None or python.found_by != "login shell":
        return skip(f"nobody asked what `ssh {seen.host} python3` would get")
    if plain == python.path:
        return fine(same)
    return fine(
        f"`ssh {seen.host} python3` gets another Python than a login shell; x11fwd looks at the latter",
        f"{plain} without a login shell, {python.path} in one; --python names another one to look at",
    )
