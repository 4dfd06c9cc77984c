"""From a host to a logged-in paramiko connection: route, keys, host key, login; for its transport only."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import paramiko  # noqa: TID251  this module is part of the paramiko transport

from x11fwd.errors import ConnectError
from x11fwd.transports.agent import Agent
from x11fwd.transports.hostkeys import HostKeys
from x11fwd.transports.login import Login, candidates, identities_of
from x11fwd.transports.paramiko_link import Link
from x11fwd.transports.patience import Patience
from x11fwd.transports.route import Route, open_route
from x11fwd.transports.tokens import LocalUser, expand_file, tokens
from x11fwd.transports.userauth import UserAuth

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping

    from x11fwd.target import SshConfig
    from x11fwd.transports.base import Prompter
    from x11fwd.transports.hops import Hop

__all__ = ["agent_of", "known_hosts_of", "open_link"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def open_link(
    hop: Hop, via: Link | Route | None, prompter: Prompter, stack: contextlib.ExitStack, *, timeout: float
) -> tuple[Link, bool]:
    """Connect and log in to one machine.

    Args:
        via: the connection to the machine before it, or a route that is open; None to open one.
        stack: whatever has to be ended later is pushed on it.

    Returns:
        The connection, and whether its host key is trusted (`HostKeys.verify`).
    """
    config = hop.config
    known = tokens(config, hop.target.host, LocalUser.current())
    seconds = float(config.connect_timeout or timeout)
    host_keys = known_hosts_of(config, known)
    way = _way(hop, via, known, stack, seconds)
    link = Link(way.socket if isinstance(way, Route) else way, config)
    stack.callback(link.close)
    try:
        key = link.exchange_keys(host_keys.algorithms(link.get_security_options().key_types), seconds)
    except ConnectError as error:
        said = way.said() if isinstance(way, Route) else ""
        if not said:
            raise
        message = f"{error.message}; the ProxyCommand said {said.splitlines()[-1]!r}"
        raise type(error)(message, hint=error.hint) from error
    trusted = host_keys.verify(key, prompter, loopback=isinstance(way, Route) and way.loopback)
    auth = UserAuth(link, config.user, lambda text: prompter.notice(_CONTROL.sub("?", text)))
    link.auth_handler = auth  # type: ignore[assignment]
    identities, problems = identities_of(
        expand_file(name, known, os.environ) for name in config.identity_files
    )
    keys, link.agent_problem = candidates(
        identities, agent_of(config, known, os.environ), identities_only=config.is_yes("identitiesonly")
    )
    for text in problems:
        prompter.notice(text)
    Login(
        auth,
        config,
        prompter,
        place=hop.place,
        command=hop.command,
        keys=keys,
        agent_problem=link.agent_problem,
        server_algorithms=lambda: _signature_algorithms(link),
        may_type=trusted,
        timeout=Patience.of(config).answer(timeout),
    ).run()
    if auth.exchange is not None:
        link.exchanges.append(auth.exchange)
    return link, trusted


def _way(
    hop: Hop, via: Link | Route | None, known: Mapping[str, str], stack: contextlib.ExitStack, seconds: float
) -> Route | paramiko.Channel:
    if isinstance(via, Route):
        return via
    if via is not None:
        try:
            there = (hop.config.hostname, hop.config.port)
            return via.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=seconds)
        except paramiko.ChannelException as error:
            raise ConnectError(
                f"the jump host cannot reach {hop.config.hostname} port {hop.config.port}: {error.text}",
                hint="its sshd may forbid forwarding (AllowTcpForwarding, PermitOpen)",
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise via.lost_error("the jump host") from error
    route = open_route(hop.config, known, seconds)
    stack.callback(route.close)
    return route


def known_hosts_of(config: SshConfig, known: Mapping[str, str]) -> HostKeys:
    """The known hosts files of a configuration, read."""
    return HostKeys(
        config,
        [expand_file(name, known, os.environ) for name in config.user_known_hosts_files],
        [expand_file(name, known, os.environ) for name in config.global_known_hosts_files],
    )


def agent_of(config: SshConfig, known: Mapping[str, str], environment: Mapping[str, str]) -> Agent | None:
    """The agent that `IdentityAgent` and SSH_AUTH_SOCK name, None where there is none (ssh_config(5))."""
    text = config.identity_agent
    if text is None or text == "SSH_AUTH_SOCK":
        path = environment.get("SSH_AUTH_SOCK", "")
    elif text.lower() == "none":
        return None
    elif text.startswith("$") and not text.startswith("${"):
        path = environment.get(text[1:], "")
    else:
        path = expand_file(text, known, environment)
    return Agent(path) if path else None


def _signature_algorithms(link: Link) -> frozenset[str] | None:
    announced = link.signature_algorithms
    if announced is None and re.match(r"OpenSSH_(?:[1-6]|7\.[01])(?!\d)", link.server_version):
        return frozenset({"ssh-rsa"})  # before RFC 8332 there was nothing to announce
    return announced
