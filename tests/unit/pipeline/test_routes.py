"""Which way windows travel, and what is remembered for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.pipeline.ssh.memory import recall, remember
from x11fwd.pipeline.ssh.routes import (
    ASK,
    AUTO,
    BRIDGE,
    NATIVE,
    ConfigError,
    KnownHost,
    choose,
    configured,
    matches,
)

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
# how windows travel
Host near*  !near9
    Via native
Host gpu?
    via = bridge
Host *
    Via auto
"""


@pytest.mark.parametrize(
    ("known", "way", "probes"),
    [
        (KnownHost(0.002), NATIVE, False),
        (KnownHost(0.002, granted=True), NATIVE, False),
        (KnownHost(None), NATIVE, False),
        (KnownHost(0.05, granted=True), BRIDGE, False),
        (KnownHost(0.05), BRIDGE, True),
        (KnownHost(0.05, consent=True), BRIDGE, False),
        (KnownHost(0.002, granted=False), ASK, False),
        (KnownHost(0.05, granted=False), ASK, False),
        (KnownHost(None, granted=False, consent=True), BRIDGE, False),
        (KnownHost(0.05, granted=False, consent=False), NATIVE, False),
        (KnownHost(0.05, granted=True, helpless="there is no Python"), NATIVE, False),
    ],
)
def test_auto_takes_the_bridge_where_it_is_quicker_or_the_only_way(
    known: KnownHost, way: str, probes: bool
) -> None:
    route = choose(AUTO, "", known)
    assert (route.way, route.probes) == (way, probes)
    assert route.reason


@pytest.mark.parametrize("way", [NATIVE, BRIDGE])
def test_what_somebody_asked_for_is_done_whatever_is_known(way: str) -> None:
    route = choose(way, "--via", KnownHost(0.05, granted=False, consent=False, helpless="no Python"))
    assert route.way == way
    assert "--via" in route.reason


def test_numbers_stand_in_the_reason() -> None:
    assert "50 ms" in choose(AUTO, "", KnownHost(0.05, granted=True)).reason
    assert "1.23 ms" in choose(AUTO, "", KnownHost(0.00123)).reason


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("near1", ("native", "f:3")),
        ("near9", ("auto", "f:7")),
        ("gpu7", ("bridge", "f:5")),
        ("GPU7", ("bridge", "f:5")),
        ("gpu77", ("auto", "f:7")),
    ],
)
def test_the_first_value_for_a_host_counts_as_in_ssh_config(host: str, found: tuple[str, str]) -> None:
    assert configured(SETTINGS, "f", host) == {"via": found}


def test_a_file_that_says_nothing_of_a_host_decides_nothing() -> None:
    assert configured("Host a\nVia bridge\n", "f", "b") == {}
    assert configured("", "f", "b") == {}


def test_compute_nodes_are_let_in_by_host() -> None:
    text = "Host login*\n  ComputeNodes yes\nHost *\n  ComputeNodes 10.1.0.1\n"
    assert configured(text, "f", "login3") == {"computenodes": ("yes", "f:2")}
    assert configured(text, "f", "gpu") == {"computenodes": ("10.1.0.1", "f:4")}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Via tunnel", "f:1"),
        ("Host a\nRoute x", "f:2"),
        ("Via", "f:1"),
        ("Host", "f:1"),
        ("ComputeNodes a;b", "f:1"),
        ("ComputeNodes", "f:1"),
    ],
)
def test_a_line_that_means_nothing_is_named(text: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        configured(text, "f", "b")


def test_patterns_do_not_take_time_that_grows_out_of_bounds() -> None:
    assert not matches("a" * 60, ["*a" * 30 + "b"])
    assert matches("a.example.org", ["*.example.???"])


def test_what_was_remembered_is_recalled_and_the_rest_stays(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert recall("h", "22", environ).granted is None
    remember("h", "22", environ, granted=False)
    remember("h", "22", environ, consent=True, helpless="no Python 3.6 at 100%")
    remember("h", "2222", environ, granted=True)
    known = recall("h", "22", environ)
    assert (known.granted, known.consent, known.helpless) == (False, True, "no Python 3.6 at 100%")
    assert recall("h", "2222", environ).granted is True
    remember("h", "22", environ, helpless="")
    assert recall("h", "22", environ).helpless == ""
    assert (tmp_path / ".local/state/x11fwd/hosts").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_and_one_that_cannot_be_written_are_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "s" / "x11fwd"
    folder.mkdir(parents=True)
    (folder / "hosts").write_bytes(b"h 22\n\xff\xfe garbage\nh 22 granted=perhaps\n")
    environ = {"XDG_STATE_HOME": str(tmp_path / "s")}
    assert recall("h", "22", environ).granted is None
    remember("h", "22", {}, granted=True)
    remember("h", "22", {"XDG_STATE_HOME": "/proc/nowhere"}, granted=True)
