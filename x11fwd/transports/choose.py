"""Which transport, why, and opening it; the pipeline's way in.

paramiko needs no second process and is the default. The system's ssh carries what paramiko cannot.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from x11fwd.errors import ConnectError
from x11fwd.transports.base import offered
from x11fwd.transports.hops import Hop, jump_hosts
from x11fwd.transports.local import LocalTransport, resolve
from x11fwd.transports.paramiko_loading import load_paramiko

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.target import SshConfig, Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer

__all__ = ["Choice", "Preference", "Surroundings", "choose", "connect", "look_around"]

Preference = Literal["auto", "paramiko", "openssh"]

_FALSE = {"no", "false", "none", ""}


@dataclass(frozen=True)
class Choice:
    """A transport's name and one sentence for `-v`; `control` is the open master to ride on."""

    name: str
    reason: str
    control: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What decides beside the configuration; gathered by `look_around`, written down in tests.

    Attributes:
        paramiko: it can be imported.
        ticket: there is a Kerberos ticket.
        key_kinds: types of the identity files that exist, `""` for an unreadable one.
        certificate: a certificate that exists, `""` if none.
        authority: a `@cert-authority` line speaks about the host.
        master: the socket of an open ControlMaster.
        display: a display is offered.
    """

    paramiko: bool = True
    ticket: bool = False
    key_kinds: tuple[str, ...] = ()
    certificate: str = ""
    authority: bool = False
    master: str | None = None
    display: bool = False


def _on(config: SshConfig, keyword: str) -> bool:
    return (config.first(keyword) or "").lower() not in _FALSE


def needs_openssh(config: SshConfig, around: Surroundings) -> str | None:
    """What in a configuration paramiko cannot do, None if nothing."""
    if config.is_yes("gssapiauthentication") and around.ticket:
        return "your ssh configuration allows Kerberos (GSSAPIAuthentication), and you hold a ticket"
    if any(kind.startswith("sk-") for kind in around.key_kinds):
        return "one of the identity files is backed by a hardware token"
    if _on(config, "pkcs11provider"):
        return "keys come from a smart card (PKCS11Provider)"
    if around.certificate:
        return f"there is a certificate ({around.certificate})"
    if around.authority:
        return "known_hosts has a `@cert-authority` line for this host"
    if config.is_yes("hostbasedauthentication"):
        return "HostbasedAuthentication is asked for"
    for keyword, name in (
        ("proxyusefdpass", "ProxyUseFdpass"),
        ("knownhostscommand", "KnownHostsCommand"),
        ("verifyhostkeydns", "VerifyHostKeyDNS"),
        ("revokedhostkeys", "RevokedHostKeys"),
        ("bindinterface", "BindInterface"),
    ):
        if _on(config, keyword):
            return f"{name} is set, which only ssh itself can follow"
    return None


def choose(
    config: SshConfig,
    around: Surroundings,
    *,
    preference: Preference = "auto",
    jumps: Sequence[tuple[str, SshConfig, Surroundings]] = (),
) -> Choice:
    """Choose a transport; pure.

    Args:
        jumps: name, configuration and surroundings of each jump host.
    """
    if preference == "paramiko":
        return Choice("paramiko", "`--transport paramiko` was given")
    # A master without our display would silently give sessions without X11, so it is not ridden then.
    control = around.master if not around.display else None
    if preference == "openssh":
        return Choice("openssh", "`--transport openssh` was given", control)
    if control is not None:
        return Choice("openssh", "a ControlMaster is already open for this host", control)
    if not around.paramiko:
        return Choice("openssh", "paramiko is not installed")
    why = needs_openssh(config, around)
    if why is not None:
        return Choice("openssh", why)
    for name, jump_config, jump_around in jumps:
        why = needs_openssh(jump_config, jump_around)
        if why is not None:
            return Choice("openssh", f"jump host {name}: {why}")
    return Choice("paramiko", "nothing in your ssh configuration asks for more than paramiko can do")


def look_around(hop: Hop, local: Transport, *, display: bool, jump: bool = False) -> Surroundings:
    """Gather what decides; looks at files, and runs `klist` and `ssh -O check` only where they can matter."""
    from x11fwd.transports.hostkeys import HostKeys
    from x11fwd.transports.openssh import master_runs
    from x11fwd.transports.private_keys import read_identity
    from x11fwd.transports.tokens import LocalUser, expand_file, tokens

    config = hop.config
    known = tokens(config, hop.target.host, LocalUser.current())

    def files(names: Sequence[str]) -> list[str]:
        return [expand_file(name, known, os.environ) for name in names]

    identities = files(config.identity_files)
    kinds = tuple(found.kind for found in map(read_identity, identities) if found is not None)
    certificates = [*files(config.certificate_files), *(f"{name}-cert.pub" for name in identities)]
    host_keys = HostKeys(config, files(config.user_known_hosts_files), files(config.global_known_hosts_files))
    master = config.control_path
    if jump or display or master is None or not Path(master).exists() or not master_runs(master):
        master = None
    return Surroundings(
        paramiko=importlib.util.find_spec("paramiko") is not None,
        ticket=config.is_yes("gssapiauthentication") and _has_ticket(local),
        key_kinds=kinds,
        certificate=next((name for name in certificates if Path(name).is_file()), ""),
        authority=host_keys.has_authority,
        master=master,
        display=display,
    )


def _has_ticket(local: Transport) -> bool:
    """Debian's ssh_config says GSSAPIAuthentication yes to everybody, so a ticket has to be there too."""
    cache = os.environ.get("KRB5CCNAME", "")
    kind, colon, path = cache.partition(":")
    file = path if colon and kind.upper() == "FILE" else cache
    default = Path(f"/tmp/krb5cc_{_uid()}")  # noqa: S108  the name that krb5 itself uses
    there = (Path(file).exists() if "/" in file else bool(cache)) or default.exists()
    if not there and not Path("/etc/krb5.conf").exists():
        return False
    answer = local.run(("klist", "-s"), timeout=5.0)
    return there if answer.exit_status == 127 else answer.ok


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else -1  # Windows has none


def _master_stands(config: SshConfig) -> bool:
    return config.control_path is not None and Path(config.control_path).exists()


def _warm_up() -> None:
    """Import paramiko (0.1 to 0.2 s) while ssh -G runs and the connection is made."""

    # paramiko before 3.5 uses names that newer cryptography warns about, on the person's terminal
    warnings.filterwarnings("ignore", message="TripleDES has been moved")

    def load() -> None:
        with contextlib.suppress(ImportError):
            load_paramiko()

    threading.Thread(target=load, name="x11fwd-import", daemon=True).start()


def connect(
    target: Target,
    *,
    prompter: Prompter,
    choice: Preference = "auto",
    x11: X11Offer | Callable[[], X11Offer | None] | None = None,
    config: SshConfig | None = None,
    timeout: float = 30.0,
    local: Transport | None = None,
) -> Transport:
    """Log in to a target by the transport that its configuration needs.

    Args:
        x11: the display to offer, or what waits until it is found; a session gets it by `run(..., x11=True)`.
        config: the answer of `ssh -G`, if it was already asked.
        timeout: seconds for each connection (unless ConnectTimeout is set) and each answer of a server.

    Raises:
        UsageError: ssh does not accept the configuration.
        ConnectError, HostKeyError, AuthError, ConnectionLost: see errors.
    """
    from x11fwd.transports.openssh import open_openssh, ride
    from x11fwd.transports.route import open_route
    from x11fwd.transports.tokens import LocalUser, tokens

    here = local or LocalTransport()
    if choice != "openssh":
        _warm_up()
    hop = Hop(target, config or resolve(target, here))
    jumps = () if choice == "openssh" else jump_hosts(hop, here)
    # whether there is one only matters where a master could be ridden
    display = x11 is not None and (not _master_stands(hop.config) or offered(x11) is not None)
    chosen = choose(
        hop.config,
        look_around(hop, here, display=display),
        preference=choice,
        jumps=[(one.place, one.config, look_around(one, here, display=False, jump=True)) for one in jumps],
    )
    if chosen.control is not None:
        return ride(hop, chosen.control, reason=chosen.reason)
    if chosen.name == "openssh":
        return open_openssh(hop, prompter=prompter, offer=offered(x11), reason=chosen.reason, timeout=timeout)
    # before the import, which may still be under way on the other thread
    first = (*jumps, hop)[0]
    known = tokens(first.config, first.target.host, LocalUser.current())
    route = open_route(first.config, known, float(first.config.connect_timeout or timeout))
    try:
        load_paramiko()
        from x11fwd.transports.paramiko_transport import ParamikoCannotError, open_paramiko
    except ImportError as error:
        route.close()
        if choice == "paramiko":
            raise ConnectError(
                f"paramiko is installed and cannot be imported: {error}",
                hint="reinstall x11fwd, or take `--transport openssh`",
            ) from error
        reason = f"paramiko cannot be imported: {error}"
        return open_openssh(hop, prompter=prompter, offer=offered(x11), reason=reason, timeout=timeout)
    except BaseException:
        route.close()
        raise
    try:
        return open_paramiko(
            hop,
            jumps,
            route=route,
            prompter=prompter,
            offer=x11,
            local=here,
            reason=chosen.reason,
            timeout=timeout,
        )
    except ParamikoCannotError as error:
        if choice == "paramiko":
            raise
        return open_openssh(hop, prompter=prompter, offer=offered(x11), reason=error.message, timeout=timeout)
