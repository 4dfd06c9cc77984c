"""Quoting of remote commands, the one place for it; `framing` and `pipeline.ssh` import it, it loads nothing.

A command goes out as `exec /bin/sh -c '…'`. The login shell that reads this may be bash, dash, zsh, fish,
csh or tcsh, so the text between the single quotes holds nothing that one of them treats specially there: no
quote, no backslash before a quote or backslash (fish), no `!` (csh expands history even there), no newline
(csh ends the word), no control or non-ASCII byte. Where the command needs such a byte, the whole script
travels in octal and is decoded by the remote `printf`.
"""

from __future__ import annotations

__all__ = ["for_any_shell", "quote"]

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./-")
# may stand between single quotes in all six shells
_QUIET = _PLAIN | frozenset(b' \t()[]{};&|<>*?#~^$`"')
# may stand in `printf %b "…"`, itself between single quotes
_UNCODED = _PLAIN | frozenset(b" =()[]{};&|<>*?#~^")
_LIMIT = 120_000  # Linux takes 128 KiB for one argument (MAX_ARG_STRLEN); the login shell gets this as one


def quote(word: str) -> bytes:
    """One argument for a POSIX shell.

    Raises:
        ValueError: it holds a NUL byte, which no argument can carry.
    """
    raw = word.encode("utf-8", "surrogateescape")
    if b"\0" in raw:
        raise ValueError("an argument cannot hold a NUL byte")
    if raw and _PLAIN.issuperset(raw):
        return raw
    return b"'" + raw.replace(b"'", b"'\\''") + b"'"


def for_any_shell(script: bytes) -> str:
    """The text for ssh that runs a script of `/bin/sh`, whatever the login shell.

    Raises:
        ValueError: it is too long for one argument.
    """
    if not _QUIET.issuperset(script):
        coded = "".join(chr(byte) if byte in _UNCODED else f"\\0{byte:03o}" for byte in script)
        script = b'eval "$(printf %b "' + coded.encode() + b'")"'
    text = f"exec /bin/sh -c '{script.decode()}'"
    if len(text) > _LIMIT:
        raise ValueError(
            f"the command is {len(text)} bytes long, more than {_LIMIT}; send data on standard input"
        )
    return text
