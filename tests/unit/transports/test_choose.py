"""Which transport a configuration needs, and the sentence that says why."""

from __future__ import annotations

import socket
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectError, UsageError
from x11fwd.target import SshConfig, SshOptions, parse_target
from x11fwd.transports.base import CommandResult
from x11fwd.transports.choose import Choice, Surroundings, choose, connect, look_around
from x11fwd.transports.fake import Answer, FakeTransport
from x11fwd.transports.hops import Hop, jump_hosts
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from pathlib import Path


def config(**values: str) -> SshConfig:
    words = {"hostname": "gpu1", "port": "22", "user": "ana", **values}
    return SshConfig(MappingProxyType({key: (value,) for key, value in words.items()}))


PLAIN = Surroundings()
TABLE = [
    ("a plain configuration", {}, PLAIN, "paramiko", "nothing in your ssh configuration"),
    (
        "kerberos with a ticket",
        {"gssapiauthentication": "yes"},
        Surroundings(ticket=True),
        "openssh",
        "ticket",
    ),
    ("kerberos as on Debian, without", {"gssapiauthentication": "yes"}, PLAIN, "paramiko", "nothing"),
    (
        "a ticket, kerberos off",
        {"gssapiauthentication": "no"},
        Surroundings(ticket=True),
        "paramiko",
        "nothing",
    ),
    ("a token", {}, Surroundings(key_kinds=("ssh-rsa", "sk-ssh-ed25519@openssh.com")), "openssh", "token"),
    ("plain keys", {}, Surroundings(key_kinds=("ssh-rsa", "")), "paramiko", "nothing"),
    ("a smart card", {"pkcs11provider": "/usr/lib/opensc.so"}, PLAIN, "openssh", "smart card"),
    ("no smart card", {"pkcs11provider": "none"}, PLAIN, "paramiko", "nothing"),
    ("a certificate", {}, Surroundings(certificate="/k-cert.pub"), "openssh", "/k-cert.pub"),
    ("an authority", {}, Surroundings(authority=True), "openssh", "@cert-authority"),
    ("host based", {"hostbasedauthentication": "yes"}, PLAIN, "openssh", "HostbasedAuthentication"),
    ("fdpass", {"proxyusefdpass": "yes"}, PLAIN, "openssh", "ProxyUseFdpass"),
    ("known hosts command", {"knownhostscommand": "/bin/x %H"}, PLAIN, "openssh", "KnownHostsCommand"),
    ("keys from DNS", {"verifyhostkeydns": "ask"}, PLAIN, "openssh", "VerifyHostKeyDNS"),
    ("no keys from DNS", {"verifyhostkeydns": "false"}, PLAIN, "paramiko", "nothing"),
    ("revoked keys", {"revokedhostkeys": "/etc/ssh/revoked"}, PLAIN, "openssh", "RevokedHostKeys"),
    ("bound to an interface", {"bindinterface": "wg0"}, PLAIN, "openssh", "BindInterface"),
    ("an open master", {}, Surroundings(master="/tmp/cm"), "openssh", "ControlMaster"),
    ("an open master, with a display", {}, Surroundings(master="/cm", display=True), "paramiko", "nothing"),
    ("no paramiko", {}, Surroundings(paramiko=False), "openssh", "not installed"),
]


@pytest.mark.parametrize(
    ("values", "around", "name", "why"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_transport_follows_the_configuration(
    values: dict[str, str], around: Surroundings, name: str, why: str
) -> None:
    choice = choose(config(**values), around)
    assert (choice.name, why in choice.reason) == (name, True), choice
    assert choice.control == (around.master if not around.display else None)


def test_the_hand_of_the_user_wins() -> None:
    around = Surroundings(authority=True, master="/cm")
    assert choose(config(), around, preference="paramiko").name == "paramiko"
    assert choose(config(), PLAIN, preference="openssh") == Choice(
        "openssh", "`--transport openssh` was given", None
    )
    assert choose(config(), around, preference="openssh").control == "/cm"


def test_a_jump_host_that_needs_ssh_takes_the_whole_way_there() -> None:
    jumps = [("ana@a", config(), PLAIN), ("ana@b", config(proxyusefdpass="yes"), PLAIN)]
    choice = choose(config(), PLAIN, jumps=jumps)
    assert choice.name == "openssh"
    assert "ana@b" in choice.reason


# -- jump hosts


def test_jump_hosts_are_asked_of_ssh_in_the_order_in_which_they_are_passed(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "Host inner\n ProxyJump ana@b:2222,c\nHost b\n HostName b.example\n ProxyJump zero\n"
        "Host c\n User carl\n ProxyJump never\n"
    )
    target = parse_target("inner", SshOptions(config_file=str(file)))
    local = LocalTransport()
    answer = local.run(("ssh", "-G", *target.ssh_argv()))
    from x11fwd.target import parse_ssh_g

    hops = jump_hosts(Hop(target, parse_ssh_g(answer.text)), local)
    assert [(hop.target.host, hop.config.hostname, hop.config.port) for hop in hops] == [
        ("zero", "zero", 22),
        ("b", "b.example", 2222),
        ("c", "c", 22),
    ]
    assert hops[2].place == "carl@c"


def test_jump_hosts_that_go_in_a_circle_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    target = parse_target("a", SshOptions(config_file=str(file)))
    with pytest.raises(UsageError, match="circle"):
        connect(target, prompter=Nobody())


class Nobody:
    def accept_host_key(self, question: object) -> bool:
        return False

    def secret(self, prompt: str) -> str | None:
        return None

    def visible(self, prompt: str) -> str | None:
        return None

    def notice(self, text: str) -> None:
        pass


def test_an_empty_jump_list_is_refused() -> None:
    with pytest.raises(UsageError):
        jump_hosts(Hop(parse_target("a"), config(proxyjump="-oProxyCommand=id")), FakeTransport())


# -- looking around


def around_of(tmp_path: Path, *, tickets: CommandResult | None = None, **values: str) -> Surroundings:
    known = tmp_path / "known"
    defaults = {"userknownhostsfile": str(known), "globalknownhostsfile": "none"}
    local = FakeTransport([Answer(tickets or CommandResult(1), argv=("klist",))])
    return look_around(Hop(parse_target("gpu1"), config(**{**defaults, **values})), local, display=False)


def test_a_kerberos_ticket_is_looked_for_only_where_it_can_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.write_text("x")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")
    yes, no = CommandResult(0), CommandResult(1)
    assert around_of(tmp_path, gssapiauthentication="yes", tickets=yes).ticket
    assert not around_of(tmp_path, gssapiauthentication="yes", tickets=no).ticket
    assert around_of(tmp_path, gssapiauthentication="yes", tickets=CommandResult(127)).ticket
    assert not around_of(tmp_path, gssapiauthentication="no", tickets=yes).ticket


def test_certificates_beside_a_key_are_seen(tmp_path: Path) -> None:
    key = tmp_path / "id"
    assert around_of(tmp_path, identityfile=str(key)).certificate == ""
    (tmp_path / "id-cert.pub").write_text("x")
    assert around_of(tmp_path, identityfile=str(key)).certificate == f"{key}-cert.pub"
    (tmp_path / "own").write_text("x")
    assert around_of(tmp_path, certificatefile=str(tmp_path / "own")).certificate == str(tmp_path / "own")


def test_a_control_path_without_a_master_is_no_master(tmp_path: Path) -> None:
    assert around_of(tmp_path, controlpath=str(tmp_path / "cm")).master is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "cm"))
    assert around_of(tmp_path, controlpath=str(tmp_path / "cm")).master is None


def test_a_cert_authority_line_is_seen(tmp_path: Path) -> None:
    from tests.unit.transports.sample_keys import ED25519

    (tmp_path / "known").write_text(f"@cert-authority gpu* {ED25519.kind} {ED25519.base64}\n")
    assert around_of(tmp_path).authority


def test_a_machine_without_ssh_cannot_resolve_a_target() -> None:
    with pytest.raises(ConnectError, match="no `ssh`"):
        connect(parse_target("h"), prompter=Nobody(), local=FakeTransport([Answer(CommandResult(127))]))


def test_a_paramiko_that_cannot_be_imported_leaves_the_way_to_the_system_ssh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reasons: list[str] = []
    closed: list[bool] = []

    class Route:
        def close(self) -> None:
            closed.append(True)

    def opened(*_: object, reason: str, **__: object) -> FakeTransport:
        reasons.append(reason)
        return FakeTransport()

    monkeypatch.setitem(sys.modules, "x11fwd.transports.paramiko_transport", None)
    monkeypatch.setattr("x11fwd.transports.route.open_route", lambda *_: Route())
    monkeypatch.setattr("x11fwd.transports.openssh.open_openssh", opened)
    connect(parse_target("gpu1"), prompter=Nobody(), config=config(), local=FakeTransport())
    assert len(reasons) == 1
    assert "cannot be imported" in reasons[0]
    with pytest.raises(ConnectError, match="cannot be imported"):
        connect(
            parse_target("gpu1"),
            prompter=Nobody(),
            config=config(),
            choice="paramiko",
            local=FakeTransport(),
        )
    assert closed == [True, True]
