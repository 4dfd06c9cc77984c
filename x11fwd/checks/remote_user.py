"""The home directory, authority file and login environment on the remote; section D of the catalogue."""

from __future__ import annotations

from posixpath import basename
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.session_place import State, culprit, state_of
from x11fwd.facts.model import AuthorityFile, HomeFacts, Unknown, known
from x11fwd.facts.place import is_forwarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from x11fwd.facts.account import StartLine


def remotely(seen: Seen, command: str, *, terminal: bool = False) -> Fix:
    """A command for the user to run over there; paths inside it are quoted by the caller."""
    if seen.inside:
        return Fix(command, FixBy.YOU)
    return Fix(f"ssh {'-t ' if terminal else ''}{seen.destination} {quote(command)}", FixBy.YOU)


def edit(seen: Seen, line: StartLine) -> Fix:
    """Open a start file at its line."""
    home = f"{seen.there.home.path}/"
    if not line.file.startswith(home):
        return Fix(f"sudo ${{EDITOR:-vi}} +{line.line} {quote(line.file)}", FixBy.ADMIN)
    return remotely(seen, f"${{EDITOR:-vi}} +{line.line} {quote(line.file)}", terminal=True)


def guard(line: StartLine) -> str:
    """What keeps a line from sessions of ssh, in the language of its file."""
    name = basename(line.file)
    if name.endswith(".fish"):
        return "put `set -q SSH_CONNECTION; or` before it"
    if name.endswith((".csh", ".cshrc", ".tcshrc", ".login")):
        return "put `if ( ! $?SSH_CONNECTION )` before it"
    if name in {"environment", ".pam_environment", "pam_env.conf"} or name.endswith(".conf"):
        return "that file knows no conditions: take the line out"
    return 'put [ -z "$SSH_CONNECTION" ] && before it'


def decider(lines: Sequence[StartLine], value: str | None) -> StartLine | None:
    """The line that made a variable what it is: the last that says just that, else the last one at all."""
    same = [line for line in lines if (line.value or None) == (value or None)]
    computed = [line for line in lines if line.value and set(line.value) & set("$`")]
    return next(iter([*same[-1:], *computed[-1:], *lines[-1:]]), None)


def _home(seen: Seen) -> HomeFacts:
    home = seen.there.home
    if not home.exists:
        raise Unanswered(skip(f"there is no home directory on {seen.host}"))
    return home


def home_missing(seen: Seen) -> Verdict:
    """F75: no mkhomedir, an automounter or NFS that is down."""
    home = seen.there.home
    if home.exists:
        return fine(f"the home directory {home.path} is there")
    return bad(
        f"the home directory of {seen.there.user} on {seen.host} is missing",
        f"{home.path}: {home.problem or 'No such file or directory'}; xauth keeps the display's cookie there",
        Fix(f"sudo mkhomedir_helper {quote(seen.there.user)}", FixBy.ADMIN),
    )


def home_full(seen: Seen) -> Verdict:
    """F74: xauth leaves an empty file behind where 4 kB cannot be written."""
    home = _home(seen)
    if isinstance(home.full, Unknown):
        return unknown(f"whether {home.path} on {seen.host} has room", home.full.reason)
    if not home.full:
        return fine(f"{home.path} on {seen.host} has room")
    free = f"{home.free_bytes // 1024} kB free" if isinstance(home.free_bytes, int) else ""
    authority = seen.there.stored_in or seen.there.authority
    left = f"{authority.left} was left behind and can be deleted" if authority and authority.left else ""
    return bad(
        f"{home.path} on {seen.host} is full, or its quota is used up",
        "; ".join(one for one in (home.problem or "a file of 4 kB could not be written", free, left) if one),
        remotely(seen, "df -h ~; quota -s; du -xsh ~/* ~/.cache | sort -h | tail"),
    )


def home_read_only(seen: Seen) -> Verdict:
    """F73: xauth cannot lock its file in a home that cannot be written."""
    home = _home(seen)
    if isinstance(home.writable, Unknown):
        return unknown(f"whether {home.path} on {seen.host} can be written", home.writable.reason)
    if home.writable:
        return fine(f"the home directory {home.path} can be written")
    return bad(
        f"the home directory {home.path} on {seen.host} cannot be written",
        home.problem or "a file could not be made there; xauth has to put the display's cookie there",
        Fix(f"findmnt -T {quote(home.path)}", FixBy.ADMIN),
    )


def _authority(seen: Seen) -> AuthorityFile:
    authority = seen.there.stored_in or seen.there.authority
    if authority is None:
        raise Unanswered(skip(f"no authority file is in use on {seen.host}"))
    return authority


def authority_is_directory(seen: Seen) -> Verdict:
    """F78: `docker run -v $HOME/.Xauthority:…` makes a directory of a file that was not there."""
    authority = _authority(seen)
    if not authority.is_directory:
        return fine(f"{authority.path} is not a directory")
    return bad(
        f"{authority.path} on {seen.host} is a directory; xauth cannot keep cookies in it",
        "it waits 20 s for a lock at every login",
        remotely(seen, f"mv {quote(authority.path)} {quote(authority.path + '.directory')}"),
    )


def authority_of_root(seen: Seen) -> Verdict:
    """F76: an X program was started once with sudo while HOME was the user's."""
    authority = _authority(seen)
    if not authority.exists or authority.is_directory or authority.writable is True:
        return fine("the authority file is the user's own")
    remote = seen.there
    if authority.owner in {remote.user, str(remote.uid), ""} and isinstance(authority.writable, Unknown):
        return fine("the authority file is the user's own")
    # xauth that may not write the file leaves its locks behind (process.c, auth_finalize)
    aside = f"mv {quote(authority.path)} {quote(f'{authority.path}.{authority.owner}')}"
    unlock = f" && rm -f {' '.join(map(quote, authority.locks))}" if authority.locks else ""
    return bad(
        f"{authority.path} on {seen.host} belongs to {authority.owner}; xauth cannot write it",
        f"owner {authority.owner}, mode {authority.mode:04o}",
        remotely(seen, aside + unlock),
    )


def authority_locked(seen: Seen) -> Verdict:
    """F77: a killed xauth leaves its lock; the next one waits 20 s and gives up (Xau's lock files)."""
    authority = _authority(seen)
    if not authority.locks or seen.there.remote_handshake == "ok":
        return fine("no stale lock stands beside the authority file")
    if authority.holders:
        holders = ", ".join(one.rpartition("/")[2] for one in authority.holders)
        return unknown(
            f"whether a lock beside {authority.path} is stale: a program xauth is at work",
            f"process {holders}; look again when it has ended",
        )
    return bad(
        f"a stale lock stops xauth on {seen.host}; every login waits 20 s for it",
        ", ".join(authority.locks),
        remotely(seen, f"rm -f {' '.join(map(quote, authority.locks))}"),
    )


def ssh_rc(seen: Seen) -> Verdict:
    """F80: where ~/.ssh/rc exists sshd does not run xauth; the file has to (sshd(8), SSHRC)."""
    remote = seen.there
    effective = known(remote.sshd.effective) or {}
    own = (remote.ssh_rc or "").startswith(f"{remote.home.path}/")
    if remote.ssh_rc is None or remote.remote_handshake == "ok":
        return fine("no ssh rc file keeps the cookie from xauth")
    if own and effective.get("permituserrc") == "no":
        return fine(f"sshd on {seen.host} does not run {remote.ssh_rc}", "PermitUserRC no")
    return bad(
        f"{remote.ssh_rc} on {seen.host} takes the display's cookie and does not hand it to xauth",
        f"{remote.ssh_rc} has no xauth in it; sshd(8), section SSHRC, has the lines it needs",
        Fix("man sshd | less +/SSHRC", FixBy.YOU if own else FixBy.ADMIN),
    )


def _login_environment(seen: Seen) -> Mapping[str, str]:
    environment = seen.there.login_environment
    if isinstance(environment, Unknown):
        raise Unanswered(
            unknown(f"what the login files on {seen.host} do to the environment", environment.reason)
        )
    return environment


def xauthority_overridden(seen: Seen) -> Verdict:
    """F79: sshd runs xauth before the start files, so a XAUTHORITY that they set names another file."""
    value = _login_environment(seen).get("XAUTHORITY")
    remote = seen.there
    usual = f"{remote.home.path}/.Xauthority"
    own = [line for line in remote.account.setting("XAUTHORITY") if line.value == value]
    # a shell that puts our commands in its own place hands on what its start files have set
    given = value == remote.start_environment.get("XAUTHORITY") and not own
    if not value or value == usual or given:
        return fine("no login file moves the authority file away")
    if remote.remote_handshake == "ok" or culprit(seen) is not None:
        return fine("the authority file that XAUTHORITY names opens the display", f"XAUTHORITY={value}")
    line = decider(remote.account.setting("XAUTHORITY"), value)
    where = f"{line}; " if line else ""
    search = "grep -n XAUTHORITY ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/*"
    return bad(
        f"a login file on {seen.host} sets XAUTHORITY, so programs look for the cookie in the wrong file",
        f"{where}XAUTHORITY={value}; sshd wrote the cookie to {usual}. In sessions of ssh it has to be unset",
        edit(seen, line) if line else remotely(seen, search),
    )


def display_overwritten(seen: Seen) -> Verdict:
    """F83: old recipes in start files set DISPLAY; sshd's own value is in the first shell's environment."""
    given = seen.there.start_environment.get("DISPLAY")
    value = _login_environment(seen).get("DISPLAY")
    # a start file that let the shell become us has put its own value where sshd's would be
    if not given or (given == value and not seen.there.x11.granted and not is_forwarded(given)):
        return _display_without_ssh(seen, value)
    if value == given:
        return fine(f"DISPLAY on {seen.host} is {given}, as sshd set it")
    if culprit(seen) is not None:
        return skip("something else than a start file has changed DISPLAY in this session")
    words = f"sets DISPLAY={value}" if value else "takes DISPLAY away"
    if seen.inside and value and is_forwarded(value) and state_of(seen) is State.OPEN:
        return odd(
            f"this session uses the DISPLAY of another one: {value}, where sshd had set {given}",
            "it works; windows open on the screen of that other session",
            Fix(f"export DISPLAY={given}", FixBy.YOU),
        )
    line = decider(seen.there.account.setting("DISPLAY"), value)
    who = "a login file" if line or not seen.inside else "a login file, or something typed since,"
    search = "grep -n DISPLAY ~/.[a-z]*rc ~/.*profile ~/.zshenv /etc/profile.d/*"
    return bad(
        f"{who} on {seen.host} {words}, where sshd had set {given}",
        f"{line}; {guard(line)}" if line else 'put [ -z "$SSH_CONNECTION" ] before the line that does it',
        edit(seen, line) if line else remotely(seen, search),
    )


def _display_without_ssh(seen: Seen, value: str | None) -> Verdict:
    """X11 was not granted this time; a line that sets DISPLAY whatever sshd does is seen all the same."""
    line = decider(seen.there.account.setting("DISPLAY"), value)
    if seen.inside or not value or line is None or not line.value or line.guarded:
        return skip(f"sshd set no DISPLAY on {seen.host}")
    return odd(
        f"a login file on {seen.host} sets DISPLAY={value}, and would do so with X11, too",
        f"{line}; {guard(line)}",
        edit(seen, line),
    )


def display_dead(seen: Seen) -> Verdict:
    """The remote's own handshake through its DISPLAY: the only proof that the way is open."""
    remote = seen.there
    answer = remote.remote_handshake
    if answer is None:
        return skip(f"there is no forwarded display on {seen.host} to try")
    if isinstance(answer, Unknown):
        return unknown(f"whether a program on {seen.host} reaches this screen", answer.reason)
    display = (known(remote.login_environment) or remote.start_environment).get("DISPLAY", "")
    if answer == "ok":
        return fine(f"a program on {seen.host} reaches this screen", f"DISPLAY={display}, handshake answered")
    return bad(f"a program on {seen.host} does not reach this screen", f"DISPLAY={display}: {answer}")
