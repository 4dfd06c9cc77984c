"""The options that several commands share, and the Target they make; imported by the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from x11fwd.errors import UsageError
from x11fwd.target import SshOptions, Target, parse_target

__all__ = [
    "ConfigFile",
    "Identity",
    "Json",
    "Jump",
    "Keep",
    "Login",
    "Option",
    "Port",
    "Python",
    "Screenshot",
    "TargetName",
    "TargetNames",
    "TransportName",
    "Verbose",
    "Via",
    "Yes",
    "may_bridge",
    "ssh_options",
    "sure",
    "target_of",
]

_SSH = "As in ssh"

TargetName = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="user@host, user@host:port, ssh://user@host:port or a Host of ssh_config.",
        show_default=False,
    ),
]
TargetNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="user@host, user@host:port, ssh://user@host:port or a Host of ssh_config; several are done "
        "side by side.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    typer.Option("-p", "-P", metavar="PORT", min=1, max=65535, help="Port of sshd.", rich_help_panel=_SSH),
]
Identity = Annotated[
    list[str] | None,
    typer.Option(
        "-i", metavar="FILE", help="Private key to log in with; may be repeated.", rich_help_panel=_SSH
    ),
]
Jump = Annotated[
    str | None,
    typer.Option("-J", metavar="HOST[,HOST]", help="Go through these hosts.", rich_help_panel=_SSH),
]
ConfigFile = Annotated[
    str | None,
    typer.Option("-F", metavar="FILE", help="Use this ssh_config instead of yours.", rich_help_panel=_SSH),
]
Login = Annotated[
    str | None, typer.Option("-l", metavar="USER", help="Log in as this user.", rich_help_panel=_SSH)
]
Option = Annotated[
    list[str] | None,
    typer.Option(
        "-o", metavar="KEY=VALUE", help="Any option of ssh_config; may be repeated.", rich_help_panel=_SSH
    ),
]


TransportName = Annotated[
    Literal["auto", "paramiko", "openssh"],
    typer.Option(
        "--transport",
        help="How to connect; auto takes paramiko and, where your ssh_config asks for more, your ssh.",
        show_default=False,
    ),
]
Python = Annotated[
    str | None,
    typer.Option(
        "--python", metavar="PATH", help="The Python on the remote to look at, instead of the login shell's."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of text.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show what was seen, and where.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; go on with what is shown.")]
Screenshot = Annotated[
    Path | None,
    typer.Option(
        "--screenshot",
        metavar="FILE.png",
        dir_okay=False,
        help="Save a picture of the window that opened here.",
    ),
]
Via = Annotated[
    Literal["auto", "native", "bridge"],
    typer.Option(
        "--via",
        help="The way windows take: ssh's own forwarding, the bridge, or what the host allows.",
        show_default=False,
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the plot's window open, to play with.")]


def ssh_options(
    port: int | None,
    identity: list[str] | None,
    jump: str | None,
    config: str | None,
    login: str | None,
    option: list[str] | None,
) -> SshOptions:
    """The shared options as one value."""
    return SshOptions(
        port=port,
        identity_files=tuple(identity or ()),
        jump=jump,
        config_file=config,
        login=login,
        options=tuple(option or ()),
    )


def target_of(text: str, options: SshOptions) -> Target:
    """What the user typed, taken apart.

    Raises:
        UsageError: it is no target.
    """
    return parse_target(text, options)


def may_bridge(host: str) -> str:
    """The question before the bridge walks around an administrator's decision for the first time."""
    return (
        f"sshd on {host} does not forward X11. The bridge carries windows over the same login, "
        "past that decision. Use it there?"
    )


def sure(answer: bool | None) -> bool:
    """The person's answer to whether something may be changed.

    Raises:
        UsageError: there was nobody to ask.
    """
    if answer is None:
        raise UsageError("there is no terminal to ask on", hint="`--yes` goes on without asking")
    return answer
