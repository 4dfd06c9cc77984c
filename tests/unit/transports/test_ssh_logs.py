"""The decision table of `ssh -v`: real logs, and what is read out of them about X11."""

from __future__ import annotations

from pathlib import Path

import pytest

from x11fwd.transports.ssh_words import server_version, x11_refused, x11_remarks

LOGS = Path(__file__).parents[1] / "facts/captures/ssh-client"


@pytest.mark.parametrize(
    ("name", "refused", "remark"),
    [
        ("granted", False, ""),
        ("not-requested", None, ""),
        ("display-unset", None, "X11 forwarding requested but DISPLAY not set"),
        ("display-invalid", True, 'DISPLAY ":0;x" invalid; disabling X11 forwarding'),
        (
            "untrusted-failed",
            True,
            "Warning: untrusted X11 forwarding setup failed: xauth key data not generated",
        ),
        ("no-xauth-data", False, "No xauth program."),
        ("key-options", True, "X11 forwarding disabled by key options."),
        ("remote-xauth-missing", True, "No xauth program; cannot forward X11."),
        ("refused", True, "X11 forwarding request failed on channel 0"),
        ("server-gone", False, "connect /tmp/.X11-unix/X77: No such file or directory"),
        ("wrong-authentication", False, "X11 connection rejected because of wrong authentication."),
        ("timeout-expired", False, "Rejected X11 connection after ForwardX11Timeout expired"),
        ("gateway", True, "X11 forwarding request failed on channel 0"),
    ],
)
def test_each_row_of_the_table_is_read(name: str, refused: bool | None, remark: str) -> None:
    log = (LOGS / f"{name}.log").read_text(encoding="utf-8")
    assert x11_refused(log) is refused
    assert not remark or remark in x11_remarks(log)


def test_a_refusal_without_a_reason_has_no_reason() -> None:
    remarks = x11_remarks((LOGS / "refused.log").read_text(encoding="utf-8"))
    assert [one for one in remarks if "key options: agent" not in one] == [
        "X11 forwarding request failed on channel 0"
    ]


def test_a_gateway_is_known_by_its_banner() -> None:
    assert server_version((LOGS / "gateway.log").read_text(encoding="utf-8")) == "Teleport"
