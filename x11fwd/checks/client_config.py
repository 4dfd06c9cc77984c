"""What this machine's ssh_config says about X11, and what ssh makes of it; section B, for the table alone.

F29, F30, F42, F43, F47 and F48. x11fwd asks for X11 whatever the files say; these speak of plain `ssh`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks import sshd, sshd_forwarding
from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip, unknown
from x11fwd.checks.report import Fix, FixBy, Status
from x11fwd.checks.session_place import State, culprit, display_of, state_of
from x11fwd.facts.model import Unknown, known
from x11fwd.facts.place import is_forwarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from x11fwd.facts.client import ClientFacts, ConfigLine

_MUTE = frozenset({"quiet", "fatal"})  # nothing at all is said at these levels (log.c)


def client_of(seen: Seen) -> ClientFacts:
    """What the user's ssh would do. Raises Unanswered where it was not asked."""
    client = seen.local.client
    if client is None:
        raise Unanswered(skip("not looked at: ssh was not asked what it would do"))
    return client


def edit(line: ConfigLine) -> Fix:
    """Open a file of ssh's at a line, with root's rights where it is not the user's own."""
    sudo = "sudo " if line.file.startswith("/etc/") else ""
    return Fix(f"{sudo}${{EDITOR:-vi}} +{line.line} {quote(line.file)}", FixBy.YOU)


def put_first(text: str) -> Fix:
    """Write a line above all others of ~/.ssh/config, where it holds for every host and is read first."""
    return Fix(f"sed -i.bak {quote('1i ' + text)} ~/.ssh/config", FixBy.YOU)


def at(line: ConfigLine) -> str:
    """`/home/ana/.ssh/config:3 (Host *) says no`."""
    block = f" ({line.block})" if line.block else ""
    return f"{line}{block} says {line.value}"


def no_request(seen: Seen) -> Verdict:
    """F29: nobody has asked for X11: at the desk ssh is made that way, in a session that is the trouble."""
    if seen.inside:
        return _no_request_inside(seen)
    client = client_of(seen)
    line = client.decides("forwardx11")
    if client.forwards:
        return fine(f"plain `ssh {seen.destination}` asks for X11", at(line) if line else "ForwardX11 yes")
    why = at(line) if line else "ForwardX11 is no, as ssh has it by default"
    trusted = client.decides("forwardx11trusted")
    if trusted is not None and trusted.is_yes:
        why += f"; ForwardX11Trusted yes ({trusted}) does not ask for it"
    return fine(
        f"plain `ssh {seen.destination}` asks for no X11; `x11fwd ssh {seen.destination}` does",
        f"{why}; by hand: ssh -X {seen.destination}",
    )


def _no_request_inside(seen: Seen) -> Verdict:
    remote = seen.there
    given = remote.start_environment.get("DISPLAY", "")
    if is_forwarded(given):
        return fine("this session's ssh has asked for X11", f"DISPLAY={given}")
    if given or display_of(seen):
        return skip("this session has a DISPLAY", f"DISPLAY={given or display_of(seen)}")
    if culprit(seen):
        return skip("another reason is known")
    allows = (sshd_forwarding.forwarding_off(seen), sshd.disable_forwarding(seen), sshd.xauth_missing(seen))
    if any(verdict.status is not Status.PASS for verdict in allows):
        return unknown(
            "whether this session's ssh has asked for X11",
            f"sshd here may have refused it; `x11fwd doctor {seen.host}` where the screen is can tell",
        )
    return bad(
        f"this session on {seen.host} was opened by an ssh that did not ask for X11",
        "sshd has set no DISPLAY, and would have granted it; if you came here through another server, "
        f"`ssh -J THAT_SERVER -X {quote(seen.host)}` from your desk carries X11 from end to end",
        Fix(f"exit, then x11fwd ssh {quote(seen.host)} where the screen is", FixBy.YOU),
    )


def config_says_no(seen: Seen) -> Verdict:
    """F30: ssh keeps the first value it meets, and another line that says yes comes too late (readconf.c)."""
    client = client_of(seen)
    if isinstance(client.lines, Unknown):
        return unknown("which line of ssh_config decides about X11", client.lines.reason)
    line = client.decides("forwardx11")
    late = next((one for one in client.about("forwardx11") if one.applies and one.is_yes), None)
    if client.forwards or line is None or late is None or not line.file:
        return fine("no line of ssh_config undoes another about X11", at(line) if line else "")
    return bad(
        f"your ssh_config asks for X11 for {seen.host}, and an earlier line has switched it off",
        f"{at(line)}, and ssh keeps the first value; {at(late)} comes too late",
        edit(line),
    )


def quiet(seen: Seen) -> Verdict:
    """F42: with LogLevel QUIET ssh says nothing of a refusal."""
    client = client_of(seen)
    level = (client.config.first("loglevel") or "").lower()
    line = client.decides("loglevel")
    if level not in _MUTE:
        return fine("your ssh says why X11 does not come", f"LogLevel {level.upper() or 'INFO'}")
    where = f"{line}: LogLevel {level.upper()}" if line else f"LogLevel {level.upper()}"
    remote = seen.remote
    if remote is None or remote.x11.granted is not False:
        return fine(f"your ssh is told to say nothing, not even why X11 does not come: {where}")
    return odd(
        f"plain `ssh` to {seen.host} would not say that X11 was refused",
        f"{where}; with `-o LogLevel=INFO` it does",
        edit(line) if line and line.file else None,
    )


def sendenv_display(seen: Seen) -> Verdict:
    """F47: this machine's DISPLAY, sent as a mere variable, names a screen of the other machine there."""
    if seen.inside:
        return _display_was_sent(seen)
    client = client_of(seen)
    line = _sends_display(client)
    if line is None:
        return fine("ssh does not send DISPLAY as a variable")
    where = f"{line}: {line.keyword} {line.value}"
    if client.forwards:
        return fine("ssh sends DISPLAY as a variable, and sshd's own replaces it", where)
    accepted = _accepts(seen)
    if accepted is None:
        return unknown(
            f"whether {seen.host} takes the DISPLAY that your ssh sends as a variable",
            f"{where}; `ssh {seen.destination} env` shows it, without root nobody can read AcceptEnv there",
        )
    if not accepted:
        return fine(f"ssh sends DISPLAY as a variable, and {seen.host} does not take it", where)
    sent = seen.local.display or "the one of this machine"
    return odd(
        f"plain `ssh {seen.destination}` sets DISPLAY there to {sent}",
        f"{where}, and AcceptEnv of sshd there takes it; no window can come that way",
        edit(line) if line.file else None,
    )


def _sends_display(client: ClientFacts) -> ConfigLine | None:
    from x11fwd.facts.client import ConfigLine

    def names(keyword: str, value: str) -> Iterable[str]:
        words = value.split()
        return words if keyword == "sendenv" else (word.partition("=")[0] for word in words)

    for keyword in ("sendenv", "setenv"):
        # -G says what counts in the end: a `SendEnv -DISPLAY` may have taken it away
        if not any(_match("DISPLAY", names(keyword, value)) for value in client.config.all(keyword)):
            continue
        lines = (one for one in client.about(keyword) if one.applies)
        found = next((one for one in lines if _match("DISPLAY", names(keyword, one.value))), None)
        return found or ConfigLine("", 0, keyword, "DISPLAY")
    return None


def _match(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _accepts(seen: Seen) -> bool | None:
    remote = seen.remote
    if remote is None:
        return None
    values = [(known(remote.sshd.effective) or {}).get("acceptenv", "")]
    files = known(remote.sshd.files)
    for text in (files or {}).values():
        values += [
            line.strip()[9:] for line in text.splitlines() if line.strip().lower().startswith("acceptenv")
        ]
    if any(_match("DISPLAY", value.split()) for value in values):
        return True
    return False if files else None


def _display_was_sent(seen: Seen) -> Verdict:
    given = seen.there.start_environment.get("DISPLAY", "")
    if not given.startswith((":", "/", "unix:")):
        return fine("DISPLAY was not sent to this session as a variable", f"DISPLAY={given}" if given else "")
    return bad(
        f"DISPLAY={given} of this session was sent by your ssh and names a screen of {seen.host}",
        "sshd's own would be localhost:10.0 or later; SendEnv or SetEnv in ssh_config of your desk sent it, "
        f"AcceptEnv in sshd_config of {seen.host} has let it in",
        Fix("grep -rniE '(send|set)env.*DISPLAY' ~/.ssh/config /etc/ssh/ssh_config*", FixBy.YOU),
    )


def for_all_hosts(seen: Seen) -> Verdict:
    """F48: every ssh, of git and rsync too, asks every host for X11."""
    client = client_of(seen)
    if isinstance(client.every_host, Unknown):
        return unknown("whether ssh asks every host for X11", client.every_host.reason)
    if not client.every_host:
        return fine("ssh asks for X11 at named hosts only")
    lines = client.about("forwardx11")
    line = next((one for one in lines if one.is_yes and one.file and _for_all(one)), None)
    where = f"{at(line)}; " if line else ""
    return odd(
        "ssh asks every host for X11, git and rsync too: any of them may reach for this screen",
        f"{where}name the hosts instead (`x11fwd ssh` needs no such line)",
        edit(line) if line else None,
    )


def _for_all(line: ConfigLine) -> bool:
    words = line.block.split()
    return not words or words[0].lower() == "match" or "*" in words[1:]


def background_race(seen: Seen) -> Verdict:
    """F43: a program left behind with `&` comes to the display after sshd has closed it with the session."""
    place = seen.there.place
    if not seen.inside or place is None:
        return skip("only to be seen in the session itself")
    display = display_of(seen)
    gone = state_of(seen) is State.DEAD and is_forwarded(display)
    if place.below_sshd or not gone or culprit(seen):
        return fine("this program did not outlive its session")
    return bad(
        "the ssh session that this program was started in has ended, and its display with it",
        f"DISPLAY={display}, where nobody listens any more, and no sshd is above this process; sshd closes "
        "the display when the session's command ends",
        Fix(f"ssh -f -X {quote(seen.host)} 'python plot.py'", FixBy.YOU),
    )
