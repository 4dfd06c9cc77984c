"""Another user, a container: away from where sshd made the display; F84, F85, F88, F89."""

from __future__ import annotations

from shlex import quote

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.session_place import State, culprit, display_of, place_of, seen_words, state_of


def sudo_loses_cookie(seen: Seen) -> Verdict:
    """F84: root looks for the cookie in root's home; sudo keeps DISPLAY and drops XAUTHORITY."""
    place = place_of(seen)
    if culprit(seen) != "sudo-loses-cookie":
        return fine("the user of this process is the one who may use the display")
    owner = place.owner_name or str(place.owner)
    who = place.under("user")
    process = f"{who.name} (process {who.pid}) is between; " if who else ""
    title = f"you are {seen.there.user} here, and the display's cookie belongs to {owner}"
    if place.uid == 0 and place.owner_home:
        fix = Fix(f"export XAUTHORITY={quote(f'{place.owner_home}/.Xauthority')}", FixBy.YOU)
    else:
        fix = Fix(
            f"exit; xauth extract - $DISPLAY | sudo -u {quote(seen.there.user)} xauth merge -",
            FixBy.YOU,
        )
    return bad(title, f"{process}{seen_words(seen)}; better still, plot as {owner}", fix)


def su_loses_display(seen: Seen) -> Verdict:
    """F85: `su -`, `sudo -i` and `machinectl shell` begin with a clean environment."""
    place = place_of(seen)
    if culprit(seen) != "su-dash-loses-display":
        return fine("no change of the user has taken DISPLAY away")
    owner = place.owner_name or str(place.owner)
    who = place.under("user")
    process = f"{who.name} (process {who.pid})" if who else "a change of the user"
    given = seen.there.start_environment.get("DISPLAY", "")
    again = f"export DISPLAY={given or 'localhost:N.0'}"
    if place.uid == 0 and place.owner_home:
        again += f" XAUTHORITY={quote(f'{place.owner_home}/.Xauthority')}"
    fix = Fix(again, FixBy.YOU) if given and place.uid == 0 else Fix("exit", FixBy.YOU)
    return bad(
        f"{process.partition(' ')[0]} began a clean environment, without DISPLAY; you came as {owner}",
        f"{process} is between; $DISPLAY is empty here"
        + (f" and was {given} before" if given else f", and {owner} has a display; plot as {owner}"),
        fix,
    )


def container_network(seen: Seen) -> Verdict:
    """F88: sshd listens on the host's loopback, and a container has its own."""
    place = place_of(seen)
    if culprit(seen) != "container-network":
        return fine("the network here is the one in which sshd listens")
    what = f"this {place.container} container" if place.container else "this network namespace"
    if state_of(seen) is State.NONE:
        title, words = f"{what} has no DISPLAY", "$DISPLAY is empty; nobody handed it in"
    else:
        title = f"{what} cannot reach the display: its localhost is not the one where sshd listens"
        words = seen_words(seen)
    name = place.container if place.container in {"docker", "podman"} else "docker"
    cookie = '-e DISPLAY -e XAUTHORITY=/tmp/cookie -v "$HOME/.Xauthority:/tmp/cookie:ro"'
    return bad(
        title,
        f"{words}; give it the host's network, and the cookie",
        Fix(f"{name} run --network host --uts host {cookie} IMAGE", FixBy.YOU),
    )


def container_cookie(seen: Seen) -> Verdict:
    """F89: another HOME, another host name, another user: the cookie is not found in there."""
    place = place_of(seen)
    if culprit(seen) != "container-cookie":
        return fine("no container hides the cookie")
    authority = seen.there.authority
    entries = authority.entries if authority and isinstance(authority.entries, tuple) else ()
    has = f"{authority.path} has {', '.join(entries) or 'no entry'}" if authority else "no authority file"
    copy = "xauth nlist $DISPLAY | sed 's/^..../ffff/' | xauth -f ~/.container-cookie nmerge -"
    return bad(
        f"this {place.container or 'namespace'} reaches the display and has no cookie for it",
        f"{seen_words(seen)}; {has}; this host is called {place.hostname}. Outside, make a copy that holds "
        "for every host name, mount it for this user with mode 0600, and set XAUTHORITY to it",
        Fix(copy, FixBy.YOU),
    )


def without_display(seen: Seen) -> Verdict:
    """A session for which X11 was not asked, or to which it was not granted: from here both look alike."""
    place = place_of(seen)
    if display_of(seen):
        return fine("this session has a DISPLAY", f"DISPLAY={display_of(seen)}")
    if culprit(seen) or seen.there.start_environment.get("DISPLAY"):
        return skip("sshd gave a DISPLAY, or another reason is known")
    connection = place.environment.get("SSH_CONNECTION", "")
    came = f" (from {connection.partition(' ')[0]})" if connection else ""
    return bad(
        f"this session{came} has no DISPLAY: its ssh did not ask for X11, or was refused",
        "neither here nor in the environment that sshd began with; which of the two it was, "
        f"`x11fwd doctor {seen.host}` where the screen is can tell",
        Fix(f"x11fwd ssh {quote(seen.host)}", FixBy.X11FWD),
    )
