"""File names and commands of ssh_config, expanded as ssh expands them."""

from __future__ import annotations

import pytest

from x11fwd.errors import UsageError
from x11fwd.target import SshOptions, parse_ssh_g, parse_target
from x11fwd.transports.local import LocalTransport, resolve
from x11fwd.transports.tokens import LocalUser, expand_file, expand_percent, tokens

TEXT = "%%_%d_%h_%i_%L_%l_%n_%p_%r_%u_%C"  # %k and %j came later than the ssh of Debian 11


def known() -> dict[str, str]:
    answer = "hostname gpu1.example\nport 2222\nuser ana\nhostkeyalias cluster\n"
    return tokens(parse_ssh_g(answer), "gpu", LocalUser("lena", 1000, "/home/lena", "desk.example"))


def test_every_token_is_replaced() -> None:
    assert expand_percent("%% %d %h %i %k %L %l %n %p %r %u", known()) == (
        "% /home/lena gpu1.example 1000 cluster desk desk.example gpu 2222 ana lena"
    )


def test_the_tokens_are_those_that_ssh_itself_fills_in() -> None:
    # `ssh -G` prints ControlPath expanded
    options = SshOptions(config_file="none", options=(f"ControlPath=/x/{TEXT}", "HostKeyAlias=cluster"))
    target = parse_target("ana@gpu:2222", options)
    config = resolve(target, LocalTransport())
    assert config.control_path == expand_percent(f"/x/{TEXT}", tokens(config, "gpu", LocalUser.current()))


@pytest.mark.parametrize("text", ["%z", "100%", "%"])
def test_an_unknown_token_is_refused_as_ssh_refuses_it(text: str) -> None:
    with pytest.raises(UsageError, match="token"):
        expand_percent(text, known())


def test_home_and_environment_are_filled_in() -> None:
    environment = {"KEYS": "/keys"}
    assert expand_file("~/.ssh/id_%h", known(), environment) == "/home/lena/.ssh/id_gpu1.example"
    assert expand_file("${KEYS}/id", known(), environment) == "/keys/id"
    assert expand_file("~", known(), environment) == "/home/lena"
    assert expand_file("/plain", known(), environment) == "/plain"
    assert expand_file("~other/x", known(), environment) == "~other/x"
    with pytest.raises(UsageError, match="not set"):
        expand_file("${NOPE}/id", known(), environment)
