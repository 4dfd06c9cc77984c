"""A host of an inventory as a target of ours; imported by the pipeline and the cli."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.target import SshOptions, Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.inventory.model import InventoryHost

__all__ = ["target_for"]

# Flags of ssh that have a keyword of their own (ssh(1)); those without any effect here are left out.
_FLAGS = {
    "-4": "AddressFamily=inet",
    "-6": "AddressFamily=inet6",
    "-A": "ForwardAgent=yes",
    "-a": "ForwardAgent=no",
    "-C": "Compression=yes",
    "-K": "GSSAPIAuthentication=yes",
    "-k": "GSSAPIDelegateCredentials=no",
}
_IDLE = {"-q", "-T", "-t", "-tt", "-x", "-X", "-Y", "-n", "-N", "-f", "-v", "-vv", "-vvv"}
_VALUES = {
    "-b": "BindAddress",
    "-B": "BindInterface",
    "-c": "Ciphers",
    "-m": "MACs",
    "-I": "PKCS11Provider",
    "-S": "ControlPath",
}


def target_for(host: InventoryHost, options: SshOptions | None = None) -> Target:
    """The target; what the inventory says of the host comes before the command line's options.

    Raises:
        UsageError: its name is none, or its arguments for ssh cannot be followed.
    """
    given = options or SshOptions()
    named = parse_target(host.name if "@" in host.name or "://" in host.name else host.address or host.name)
    own = _own(host.name, host.ssh_args)
    keys = (str(Path(host.key_file).expanduser()),) if host.key_file else ()
    merged = SshOptions(
        port=own.port or given.port,
        identity_files=(*keys, *own.identity_files, *given.identity_files),
        jump=own.jump or given.jump,
        config_file=own.config_file or given.config_file,
        login=own.login or given.login,
        options=(*own.options, *given.options),
    )
    user = host.user or named.user
    port = host.port or named.port
    if user:
        merged = replace(merged, login=None)
    if port:
        merged = replace(merged, port=None)
    return Target(typed=host.name, host=named.host, user=user, port=port, options=merged)


def _own(name: str, words: Sequence[str]) -> SshOptions:
    """`ansible_ssh_common_args`, read as ssh reads its arguments."""
    found = SshOptions()
    options: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in _FLAGS:
            options.append(_FLAGS[word])
            continue
        if word in _IDLE:
            continue
        flag, value = word[:2], word[2:]
        if not value:
            if not waiting or not flag.startswith("-"):
                raise _strange(name, word)
            value = waiting.pop(0)
        if flag == "-o":
            key, equals, rest = value.partition("=")
            options.append(
                value if equals else "=".join(value.split(None, 1)) if " " in key else value + rest
            )
        elif flag == "-p" and value.isascii() and value.isdigit():
            found = replace(found, port=int(value))
        elif flag == "-i":
            found = replace(found, identity_files=(*found.identity_files, str(Path(value).expanduser())))
        elif flag == "-J":
            found = replace(found, jump=value)
        elif flag == "-F":
            found = replace(found, config_file=value)
        elif flag == "-l":
            found = replace(found, login=value)
        elif flag in _VALUES:
            options.append(f"{_VALUES[flag]}={value}")
        else:
            raise _strange(name, word)
    return replace(found, options=tuple(options))


def _strange(name: str, word: str) -> UsageError:
    return UsageError(
        f"`ansible_ssh_common_args` of {name} holds {word!r}, which x11fwd cannot follow",
        hint="`-o KEY=VALUE`, `-J`, `-i`, `-F` and `-p` it can",
    )
