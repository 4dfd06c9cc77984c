"""The loopback and its listeners, from the probe's answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.unit.facts.test_probe_shells import SHELLS, ask, shell
from x11fwd.facts.answers import Answers, Text
from x11fwd.facts.model import Unknown
from x11fwd.facts.network import Listener, NetworkFacts, parse_network

if TYPE_CHECKING:
    from pathlib import Path

TCP = (
    "0100007F:177A 1000\n00000000000000000000000001000000:177A 1000\n00000000:177B 0\n"
    + "0" * 32
    + ":177B 0\n"
)


def parsed(**given: str) -> NetworkFacts:
    """Names with `__` for the dot; a text where the value has a line end."""
    texts, values = {}, {}
    for name, value in given.items():
        key = name.replace("__", ".", 1)
        if "\n" in value:
            texts[key] = (Text("", value),)
        else:
            values[key] = (value,)
    return parse_network(Answers(values, texts, {}))


def test_listeners_of_both_families_are_read() -> None:
    facts = parsed(net__listeners=TCP)
    assert facts.listeners == (
        Listener("127.0.0.1", 6010, 1000),
        Listener("::1", 6010, 1000),
        Listener("0.0.0.0", 6011, 0),
        Listener("::", 6011, 0),
    )
    assert [one.address for one in facts.serving(10)] == ["127.0.0.1", "::1"]
    assert facts.serving(12) == ()


def test_none_at_all_is_not_unknown() -> None:
    assert parsed(net__listeners="").listeners == ()
    assert isinstance(parsed().listeners, Unknown)
    assert parsed().serving(10) == ()


def test_garbage_among_the_listeners_is_passed_over() -> None:
    assert parsed(net__listeners="7F:177A 1\n0100007F:177A root\n0100007F:177A 7\n").listeners == (
        Listener("127.0.0.1", 6010, 7),
    )


def test_ipv6_is_there_off_or_unheard_of() -> None:
    assert parsed(net__ipv6_loopback="yes").ipv6_loopback is True
    assert parsed(net__ipv6_loopback="no").ipv6_loopback is False
    assert parsed(net__ipv6_loopback="none").ipv6_loopback is None
    assert isinstance(parsed().ipv6_loopback, Unknown)
    told = parse_network(Answers({}, {}, {"net.ipv6_loopback": ("this system has no /proc/net",)}))
    assert told.ipv6_loopback == Unknown("this system has no /proc/net")


def test_what_localhost_means() -> None:
    assert parsed(net__localhost="127.0.0.1\n::1\n").localhost == ("127.0.0.1", "::1")
    assert parsed(net__localhost="none").localhost == ()
    assert isinstance(parsed().localhost, Unknown)


def test_a_name_in_display_is_found_or_not() -> None:
    assert parsed(net__display_host="gpu1", net__display_host_found="yes").display_host_found is True
    assert parsed(net__display_host="gpu1", net__display_host_found="no").display_host_found is False
    assert isinstance(parsed(net__display_host="gpu1").display_host_found, Unknown)
    assert parsed().display_host is None


def resolver(folder: Path, status: int) -> str:
    """PATH with a getent that ends so; 124 is the status with which a limit of time ends."""
    folder.mkdir()
    (folder / "getent").write_text(f"#!/bin/sh\nexit {status}\n")
    (folder / "getent").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("name", SHELLS)
def test_a_resolver_that_takes_too_long_is_none_that_knows_no_localhost(name: str, tmp_path: Path) -> None:
    seen = ask(shell(name), tmp_path, PATH=resolver(tmp_path / "programs", 124))
    assert parse_network(seen).localhost == Unknown("getent gave no answer")


def test_a_resolver_that_knows_no_localhost_is_told_so(tmp_path: Path) -> None:
    seen = ask(shell("dash"), tmp_path, PATH=resolver(tmp_path / "programs", 2))
    assert parse_network(seen).localhost == ()
