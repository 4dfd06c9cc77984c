"""The way a script's windows take: by distance, by what sshd grants, and by the person's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import UsageError
from x11fwd.pipeline.run_way import choose_way, configured_way
from x11fwd.pipeline.ssh import memory
from x11fwd.target import SshConfig
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.fake import Answer, FakeTransport

if TYPE_CHECKING:
    from pathlib import Path


def transport(*, granted: bool | None, round_trip: float | None) -> FakeTransport:
    config = SshConfig({"hostname": ("10.0.0.1",), "port": ("22",)})
    made = FakeTransport(
        [Answer(CommandResult(0, b"", b""))], config=config, x11=X11Outcome(requested=True, granted=granted)
    )
    made.run(["true"], x11=True)
    made.round_trip = round_trip
    return made


@pytest.mark.parametrize(
    ("granted", "round_trip", "answer", "way"),
    [
        (True, 0.001, None, "native"),
        (True, 0.1, None, "bridge"),
        (True, None, None, "native"),
        (None, 0.1, None, "native"),
        (False, 0.001, True, "bridge"),
        (False, 0.1, True, "bridge"),
        (False, 0.1, False, "native"),
    ],
)
def test_a_far_host_and_a_refusing_one_are_reached_over_the_bridge(
    granted: bool | None, round_trip: float | None, answer: bool | None, way: str, tmp_path: Path
) -> None:
    def ask() -> bool:
        assert answer is not None
        return answer

    environ = {"HOME": str(tmp_path)}
    assert choose_way(transport(granted=granted, round_trip=round_trip), ask, environ) == way
    assert memory.recall("10.0.0.1", "22", environ).consent is (True if answer else None)


def test_who_said_yes_once_is_not_asked_again(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    far = transport(granted=False, round_trip=0.1)
    assert choose_way(far, lambda: True, environ) == "bridge"
    assert choose_way(far, lambda: pytest.fail("asked again"), environ) == "bridge"


def test_a_host_where_the_bridge_cannot_run_is_reached_natively(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    memory.remember("10.0.0.1", "22", environ, helpless="there is no Python")
    assert choose_way(transport(granted=True, round_trip=0.1), lambda: False, environ) == "native"


def test_the_file_of_settings_says_it_where_via_does_not(tmp_path: Path) -> None:
    (tmp_path / "x11fwd").mkdir()
    (tmp_path / "x11fwd/config").write_text("Host gpu*\n  Via bridge\n")
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert configured_way("gpu1", "auto", environ) == "bridge"
    assert configured_way("gpu1", "native", environ) == "native"
    assert configured_way("other", "auto", environ) == "auto"


def test_a_wrong_file_of_settings_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "x11fwd").mkdir()
    (tmp_path / "x11fwd/config").write_text("Host gpu*\n  Via pigeon\n")
    with pytest.raises(UsageError, match="config:2: Via is native"):
        configured_way("gpu1", "auto", {"XDG_CONFIG_HOME": str(tmp_path)})
