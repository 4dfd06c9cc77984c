"""Plans `sshd_option`: one file of sshd's that makes it give a user these values; imported by planner.

Where the lines go and why is in `sshd_block`; how the change is made without locking anybody out is the
engine's part. Here it is decided whether anything is needed at all, and what.
"""

from __future__ import annotations

import hashlib
import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.facts.sshd_config import decide
from x11fwd.steps.by_hand import configured_options
from x11fwd.steps.plan import Change, ChangeSshd, WriteFile
from x11fwd.steps.service import reload_commands
from x11fwd.steps.sshd_by_hand import by_hand, undo_by_hand
from x11fwd.steps.sshd_spot import (
    DEFAULT_CONFIG,
    Options,
    Spot,
    addresses,
    asking,
    config_files,
    effective_values,
    find_spot,
    main_file,
    setting_lines,
)
from x11fwd.steps.wording import file_diff, slug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.playbook import SshdOptionStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_sshd_option"]

_FORWARDING = "x11forwarding"


def plan_sshd_option(step: SshdOptionStep, planning: Planning) -> tuple[Change, ...]:
    """The change where sshd gives this user another value than the step wants; sentences where it cannot."""
    sshd = planning.facts.sshd
    if sshd.binary is None:
        if planning.facts.x11.granted is not True:
            planning.warn("no OpenSSH server was found; x11fwd changes no other one")
        return ()
    if sshd.pending:
        planning.warn(
            "a change of sshd's configuration still waits for its confirmation; try again in a minute"
        )
        return ()
    options = _needed(step.options, planning)
    if not options:
        return ()
    if sshd.problem:
        words = sshd.problem.strip().splitlines()[0]
        planning.warn(f"sshd does not accept its own configuration, so nothing is added to it: {words}")
        return ()
    family = planning.family
    system = family.configuration if family else None
    if system is not None and main_file(planning).startswith(system.generated):
        return (configured_options(system, options),)
    spot = find_spot(options, planning)
    if spot is None:
        return ()
    if spot.before == spot.after:
        planning.warn(f"{spot.path} holds x11fwd's lines already, and sshd does not follow them")
        return ()
    return (_change(options, spot, planning),)


# --- is anything needed? ----------------------------------------------------------------------------------


def _needed(options: Options, planning: Planning) -> Options:
    """Those options that sshd does not already give this user."""
    needed = tuple((key, value) for key, value in options if not _right(key, value, planning))
    effective = effective_values(planning)
    forwarding = any(key.lower() == _FORWARDING and value.lower() == "yes" for key, value in options)
    if forwarding and planning.facts.x11.granted is not True and not isinstance(effective, Unknown):
        named = {key.lower() for key, _ in options}
        if effective.get("disableforwarding") == "yes" and "disableforwarding" not in named:
            where = _where("disableforwarding", planning)
            planning.warn(
                f"DisableForwarding yes{where} forbids every forwarding, X11 too; an administrator has to "
                "lift it (x11fwd does so only where a playbook names `DisableForwarding`)"
            )
            return ()
        if "xauthlocation" not in named:
            needed += _xauth_location(effective, planning)
        if not needed and planning.facts.x11.granted is False:
            _warn_refused(planning)
    return needed


def _right(keyword: str, value: str, planning: Planning) -> bool:
    """True where nothing has to be done for one option."""
    sshd, x11 = planning.facts.sshd, planning.facts.x11
    wanted_forwarding = keyword.lower() == _FORWARDING and value.lower() == "yes"
    if wanted_forwarding and x11.granted:
        planning.note("sshd grants X11 forwarding on this connection already")
        return True
    effective, files = effective_values(planning), config_files(planning)
    if not isinstance(effective, Unknown):
        now = effective.get(keyword.lower())
        if now is not None and now.lower() == value.lower():
            planning.note(f"sshd gives {planning.facts.user} {keyword} {value} already")
            return True
        return False
    if wanted_forwarding and "no xauth program" in _remarks(planning):
        planning.note("sshd allows X11 forwarding; only xauth was missing")
        return True
    if not isinstance(files, Unknown) and not sshd.unreadable:
        decision = decide(keyword, setting_lines(planning), asking(planning))
        return decision.certain and decision.line is not None and decision.line.value.lower() == value.lower()
    if not wanted_forwarding:
        return False
    return not _refused_by_configuration(effective.reason, planning)


def _refused_by_configuration(reason: str, planning: Planning) -> bool:
    """Nobody may ask sshd here: what the refusal itself tells (session.c: key, option, xauth in order)."""
    if planning.facts.x11.granted is None:
        planning.warn(f"whether sshd allows X11 forwarding could not be seen ({reason}); left alone")
        return False
    if _key_forbids(planning):
        _warn_refused(planning)
        return False
    return True


def _remarks(planning: Planning) -> str:
    return " ".join(planning.facts.x11.remarks).lower()


def _key_forbids(planning: Planning) -> bool:
    """session.c: the words of today, and of releases before 7.7; auth-options.c lists any key's options."""
    said = _remarks(planning)
    return "disabled by key options" in said or "disabled in user configuration file" in said


def _warn_refused(planning: Planning) -> None:
    if _key_forbids(planning):
        planning.warn(
            "the key's own options forbid X11 (`restrict` or `no-X11-forwarding` in authorized_keys, or its "
            "certificate); no option of sshd changes that"
        )
    elif planning.facts.xauth.path is not None and not planning.facts.x11.remarks:
        planning.warn(
            "sshd's files allow X11 forwarding and the daemon refused it; it may be older than its files: "
            f"`{shlex.join(reload_commands(planning)[0])}`"
        )


def _xauth_location(effective: Mapping[str, str], planning: Planning) -> Options:
    """XAuthLocation, where sshd looks for xauth in a place that has none and will have none (F59)."""
    location, path = effective.get("xauthlocation"), planning.facts.xauth.path
    if path is None and planning.family is not None:
        path = planning.family.xauth or None  # where the package that is about to come puts it
    if location is None or path is None or location == path or planning.facts.sshd.xauth_found is not False:
        return ()
    return (("XAuthLocation", path),)


def _where(keyword: str, planning: Planning) -> str:
    if isinstance(config_files(planning), Unknown):
        return ""
    decision = decide(keyword, setting_lines(planning), asking(planning))
    return f" ({decision.line})" if decision.line else ""


# --- the change -------------------------------------------------------------------------------------------


def _change(options: Options, spot: Spot, planning: Planning) -> Change:
    facts, config_file = planning.facts, main_file(planning)
    words = " and ".join(f"{key} {value}" for key, value in options)
    reload = reload_commands(planning)
    note = ""
    if isinstance(config_files(planning), Unknown):
        note = f"{config_file} could not be read; should it not include {spot.path}, put the lines at its top"
    return Change(
        id=f"sshd-{slug(options[0][0])}",
        title=f"Set {words} in sshd" + (f" for {facts.user} alone" if spot.only_user else ""),
        action=ChangeSshd(
            file=WriteFile(
                path=spot.path,
                content=spot.after.encode("utf-8", "surrogateescape"),
                before_sha256=None
                if spot.before is None
                else hashlib.sha256(spot.before.encode("utf-8", "surrogateescape")).hexdigest(),
            ),
            binary=facts.sshd.binary or "/usr/sbin/sshd",
            config_file=config_file,
            custom_config=planning.options.sshd_config is not None or config_file != DEFAULT_CONFIG,
            expect=tuple((key.lower(), value) for key, value in options),
            connection=_connection(planning),
            reload=reload,
            confirm_seconds=planning.options.confirm_seconds,
        ),
        become=True,
        diff=file_diff(spot.path, spot.before, spot.after),
        admin_lines=by_hand(spot, reload, planning),
        admin_undo=undo_by_hand(spot, reload, planning),
        note=note,
    )


def _connection(planning: Planning) -> str:
    """The connection that sshd is asked about: ours (sshd(8), `-C`)."""
    if planning.facts.sshd.connection:
        return planning.facts.sshd.connection
    client, local, port = addresses(planning) or ("127.0.0.1", "127.0.0.1", 22)
    return f"user={planning.facts.user},host={client},addr={client},laddr={local},lport={port}"
