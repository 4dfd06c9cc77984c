"""What the user typed, and what `ssh -G` prints."""

from __future__ import annotations

import pytest

from x11fwd.errors import UsageError
from x11fwd.target import SshConfig, SshOptions, parse_ssh_g, parse_target

ACCEPTED = [
    ("gpu1", None, "gpu1", None),
    ("ana@gpu1", "ana", "gpu1", None),
    ("ana@gpu1:2222", "ana", "gpu1", 2222),
    ("gpu1:22", None, "gpu1", 22),
    ("ssh://gpu1", None, "gpu1", None),
    ("ssh://ana@gpu1:2222", "ana", "gpu1", 2222),
    ("ssh://ana@gpu1:2222/", "ana", "gpu1", 2222),
    ("ssh://ana%40example.org@gpu1", "ana@example.org", "gpu1", None),
    ("ssh://ana;fingerprint=x@gpu1", "ana", "gpu1", None),
    ("ssh://ana@[::1]:2222", "ana", "::1", 2222),
    ("ana@[::1]:2222", "ana", "::1", 2222),
    ("ana@[::1]", "ana", "::1", None),
    ("[fe80::1%eth0]:22", None, "fe80::1%eth0", 22),
    ("::1", None, "::1", None),
    ("ana@2001:db8::7", "ana", "2001:db8::7", None),
    ("ana@example.org@gpu1", "ana@example.org", "gpu1", None),
    ("DOM\\ana@gpu1", "DOM\\ana", "gpu1", None),
    ("PC$@gpu1", "PC$", "gpu1", None),
    ("first.last-2@host_3.example.org", "first.last-2", "host_3.example.org", None),
    ("büro.example", None, "büro.example", None),
    ("127.0.0.1:2200", None, "127.0.0.1", 2200),
]


@pytest.mark.parametrize(("text", "user", "host", "port"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_every_way_of_writing_a_target_is_taken_apart(
    text: str, user: str | None, host: str, port: int | None
) -> None:
    target = parse_target(text)
    assert (target.user, target.host, target.port, target.typed) == (user, host, port, text)


REFUSED = [
    "",
    "-oProxyCommand=id",
    "ana@-oProxyCommand=id",
    "-x@host",
    "@host",
    "ana@",
    "ssh://@host",
    "ssh://",
    "host;id",
    "host$(id)",
    "host`id`",
    "ho st",
    "host\n",
    "host\tx",
    "a'b@host",
    'a"b@host',
    "a|b@host",
    "ana\\@host",
    "$HOME@host",
    "host,other",
    "host/path",
    "ssh://host/path",
    "host%h",
    "host:",
    "host:0",
    "host:65536",
    "host:ssh",
    "host:٢٢",
    "[::1",
    "[host]:22",
    "[::1]x",
    "[::1]:",
    "ana@[::1%;id]",
    "*",
    "!host",
    "~",
    "\x00",
]


@pytest.mark.parametrize("text", REFUSED, ids=map(repr, REFUSED))
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert caught.value.exit_code == 2


def test_a_password_in_the_target_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse_target("ana:hunter2@gpu1")
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_the_destination_comes_last_after_two_dashes() -> None:
    options = SshOptions(
        port=1, identity_files=("a b",), jump="j", config_file="none", login="bob", options=("X=y",)
    )
    assert parse_target("ana@h:2", options).ssh_argv() == (
        *("-F", "none", "-p", "1", "-l", "bob", "-i", "a b", "-J", "j", "-o", "X=y"),
        *("-p", "2", "--", "ana@h"),
    )


SSH_G = """\
host gpu
user ana
hostname gpu1.example.org
port 2222
identityfile ~/.ssh/id_rsa
identityfile /keys/my key
userknownhostsfile /home/a b/.ssh/known_hosts /home/a b/.ssh/known_hosts2
globalknownhostsfile none
proxyjump none
identitiesonly yes
pubkeyauthentication true
connecttimeout none
serveraliveinterval 30
"""


def test_the_output_of_ssh_g_is_read() -> None:
    config = parse_ssh_g(SSH_G)
    assert (config.hostname, config.user, config.port) == ("gpu1.example.org", "ana", 2222)
    assert config.identity_files == ("~/.ssh/id_rsa", "/keys/my key")
    assert config.user_known_hosts_files == ("/home/a b/.ssh/known_hosts", "/home/a b/.ssh/known_hosts2")
    assert config.global_known_hosts_files == ()
    assert config.proxy_jump is None
    assert config.connect_timeout is None
    assert config.number("serveraliveinterval") == 30
    assert config.is_yes("IdentitiesOnly")
    assert config.is_yes("pubkeyauthentication")
    assert not config.is_yes("forwardx11")
    assert config.first("forwardx11") is None


@pytest.mark.parametrize("text", ["", "usage: ssh [-46AaCfG]\n", "host x\nuser y\n", "\x1b[31mhi\n"])
def test_what_ssh_g_would_not_print_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ssh_g(text)


def test_an_empty_configuration_has_no_surprises() -> None:
    config = SshConfig()
    assert (config.hostname, config.port, config.identity_files, config.control_path) == ("", 22, (), None)
