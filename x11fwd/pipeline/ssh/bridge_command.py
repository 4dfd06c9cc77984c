"""The remote command of a session over the bridge: it waits for its display, then is what sshd would run.

sshd runs a command as `$SHELL -c command` and without one a login shell (session.c, do_child). Here it runs
`exec /bin/sh -c …` through that shell, and that script ends by `exec`, so the exit status, the signals and
the process group are the command's own. Pure; `bridge_route` imports it.
"""

from __future__ import annotations

from x11fwd.transports.quoting import for_any_shell, quote

PATIENCE = 30  # seconds that a session waits for its display: the remote half may come over a thin line first
NO_DISPLAY = 94  # exit status of a strict session that got none

_LATE = f"x11fwd: no display came within {PATIENCE} s; no window can open in this session"
# A login shell is one whose name begins with `-`, which POSIX cannot give it and bash can.
_LOGIN = """\
command -v bash >/dev/null && exec bash --norc --noprofile -c 'exec -a "-${0##*/}" "$0"' "$SHELL"
exec "$SHELL" -l
"""
# A shell that is named after its command calls itself so, as sshd has it, in its messages too.
_COMMAND = """\
x_text=%s
case ${SHELL##*/} in
sh|ash|dash|bash|ksh*|mksh|yash|zsh) exec "$SHELL" -c "$x_text" "${SHELL##*/}" ;;
esac
exec "$SHELL" -c "$x_text"
"""
# What sshd and pam_motd show to a login without a command (session.c, check_quietlogin).
_GREETING = """\
[ -e "$HOME/.hushlogin" ] || cat /run/motd.dynamic /etc/motd 2>/dev/null
"""
# A terminal over there without one here: over a shared connection ssh sends zeros for all its modes (mux.c).
_SANE = "stty sane 2>/dev/null\n"


def meeting(token: str, *, strict: bool, mute: bool = False) -> str:
    """Shell text that waits for the bridge's line and sets DISPLAY and XAUTHORITY by it.

    Args:
        token: names the place.
        strict: end with `NO_DISPLAY` where no display comes, and leave a sign of it for `again` where it was
            only late; else go on without one.
        mute: nothing of ours is shown.
    """
    late = '[ "$x_display" != late ] ||'
    if strict:
        otherwise = f'{late} true >"$x_fifo.late" 2>/dev/null\nexit {NO_DISPLAY}'
    else:
        otherwise = ":" if mute else f"{late} echo '{_LATE}' >&2"
    return (
        f"{_functions()}"
        f"if x_runtime_folder && x_meet {token} && x_wait {PATIENCE}; then\n"
        "DISPLAY=$x_display XAUTHORITY=$x_authority\nexport DISPLAY XAUTHORITY\n"
        f"else {otherwise}\nfi\n"
        'wait "$x_timer" 2>/dev/null\n'  # or the command would inherit a child that it never had
    )


def known(display: str, authority: str) -> str:
    """The same for a display that is open already."""
    return (
        f"DISPLAY={quote(display).decode('utf-8', 'surrogateescape')} "
        f"XAUTHORITY={quote(authority).decode('utf-8', 'surrogateescape')}\n"
        "export DISPLAY XAUTHORITY\n"
    )


def again(token: str, display: str, authority: str) -> str:
    """The same after a session that ended with `NO_DISPLAY`, for a display that came too late for it.

    Ends with that status, too, where it was the command's own: then it has run.
    """
    sign = f'rm "$x_folder/{token}.late" 2>/dev/null'
    return f"{_functions()}x_runtime_folder && {sign} || exit {NO_DISPLAY}\n{known(display, authority)}"


def wrapped(before: str, command: str, *, bare_terminal: bool = False) -> str:
    """The text for ssh, whatever the login shell over there.

    Args:
        before: `meeting`, `known` or nothing.
        command: the user's, as one text; empty for a login.
        bare_terminal: there is a terminal over there, and none here.

    Raises:
        ValueError: it is too long for one argument, or has a NUL byte.
    """
    if bare_terminal:
        before = _SANE + before
    if command:
        words = quote(command).decode("utf-8", "surrogateescape")
        script = before + _COMMAND.replace("%s", words)
    else:
        script = f"{before}{_GREETING}{_LOGIN}"
    return for_any_shell(script.encode("utf-8", "surrogateescape"))


def _functions() -> str:
    """What is called here of `rendezvous.sh`; as `starter.shell_text`, whose import takes longer."""
    import x11fwd.bridge.bootstrap as folder

    with open(f"{folder.__path__[0]}/rendezvous.sh", encoding="utf-8") as file:
        lines = file.read().split("\n")
    kept: list[str] = []
    skipping = False
    for line in lines:
        skipping = skipping or line.startswith("x_tell()")
        text = line.strip()
        if text and not text.startswith("#") and not skipping:
            kept.append(text)
        skipping = skipping and line != "}"
    return "\n".join(kept) + "\n"
