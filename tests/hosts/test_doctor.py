"""`x11fwd doctor` on real hosts, through the front door, as a person runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hosts.truth.rig import PASSING
from tests.lab.hosts import Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person


def diagnosed(
    person: Person, name: str, *more: str, code: int = 1, env: dict[str, str] | None = None
) -> dict[str, object]:
    """The JSON document of one run, whose exit code has to be `code`."""
    for _ in range(8):
        argv = person.x11fwd("doctor", "--json", *more, name)
        status, out, err = person.run(argv, env=env or {}, timeout=400)
        document: dict[str, object] = json.loads(out)
        said = statuses(document)
        if not any(said.get(name) in {"warn", "fail"} for name in PASSING):
            break
    assert status == code, f"{out}\n{err}"
    assert document["exit_code"] == code
    return document


def statuses(document: dict[str, object]) -> dict[str, str]:
    findings = document["findings"]
    assert isinstance(findings, list)
    return {finding["id"]: finding["status"] for finding in findings}


def unexplained(document: dict[str, object]) -> list[str]:
    findings = document["findings"]
    assert isinstance(findings, list)
    return [one["id"] for one in findings if one["status"] == "fail" and one["cause"] is None]


def evidence(document: dict[str, object], name: str) -> str:
    findings = document["findings"]
    assert isinstance(findings, list)
    return str(next(one["evidence"] for one in findings if one["id"] == name))


BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])


@BOTH
def test_a_bare_host_lacks_everything_and_sshd_is_the_first_link(
    person: Person, chroot_host: Callable[..., ChrootHost], transport: str
) -> None:
    person.alias("gpu1", chroot_host("bookworm", "bare"), user="ana")
    document = diagnosed(person, "gpu1", "--transport", transport)
    assert unexplained(document) == [
        "sshd-x11forwarding-no",
        "remote-xauth-missing",
        "tk-missing-distro-python",
        "mpl-missing",
    ]
    assert document["cause"] == "sshd-x11forwarding-no"
    assert "/etc/ssh/sshd_config:" in evidence(document, "sshd-x11forwarding-no")


@BOTH
def test_a_ready_host_yields_no_warning(
    person: Person, new_chroot_host: Callable[..., ChrootHost], transport: str
) -> None:
    person.alias("gpu1", new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True)), user="ana")
    document = diagnosed(person, "gpu1", "--transport", transport, code=0)
    assert set(statuses(document).values()) <= {"pass", "skip"}
    assert statuses(document)["remote-display-dead"] == "pass"
    assert statuses(document)["mpl-backend-not-interactive"] == "pass"


@BOTH
def test_a_key_that_forbids_x11_is_named_with_its_file_and_line(
    person: Person, new_chroot_host: Callable[..., ChrootHost], transport: str
) -> None:
    setup = Setup(x11_forwarding=True, key_prefix="no-X11-forwarding")
    person.alias("gpu1", new_chroot_host("bookworm", "plot", setup), user="ana")
    document = diagnosed(person, "gpu1", "--transport", transport)
    assert unexplained(document) == ["key-no-x11"]
    assert "authorized_keys:1" in evidence(document, "key-no-x11")


def test_a_drop_in_that_is_read_first_is_named_with_its_line(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    drop_in = "/etc/ssh/sshd_config.d/50-hardening.conf"
    setup = Setup(x11_forwarding=True, files={drop_in: "# CIS 5.2.6\nX11Forwarding no\n"})
    person.alias("gpu1", new_chroot_host("bookworm", "plot", setup), user="ana")
    document = diagnosed(person, "gpu1")
    assert unexplained(document) == ["sshd-dropin-wins"]
    assert f"{drop_in}:2" in evidence(document, "sshd-dropin-wins")


def test_a_match_block_is_named_with_its_line(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    setup = Setup(x11_forwarding=True, sshd_config="Match User ana\n    X11Forwarding no")
    person.alias("gpu1", new_chroot_host("bookworm", "plot", setup), user="ana")
    document = diagnosed(person, "gpu1")
    assert unexplained(document) == ["sshd-match-block"]
    assert "Match User ana" in evidence(document, "sshd-match-block")


def test_mplbackend_in_a_login_file_is_named(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    setup = Setup(x11_forwarding=True, files={"/home/ana/.profile": "export MPLBACKEND=Agg\n"})
    person.alias("gpu1", new_chroot_host("bookworm", "plot", setup), user="ana")
    document = diagnosed(person, "gpu1")
    assert unexplained(document) == ["mpl-mplbackend-wins"]


def test_a_person_without_a_display_is_told_so_first(
    new_person: Callable[..., Person], chroot_host: Callable[..., ChrootHost]
) -> None:
    person = new_person()
    person.alias("gpu1", chroot_host("bookworm", "plot"), user="ana")
    # inside an ssh session no other X server of this machine is taken instead
    document = diagnosed(person, "gpu1", env={"SSH_CONNECTION": "10.0.0.1 5000 10.0.0.2 22"})
    assert document["cause"] == "local-display-unset"
    assert statuses(document)["x11-request-refused"] == "skip"


def test_a_host_that_does_not_answer_is_exit_code_3_and_this_machine_is_still_judged(person: Person) -> None:
    document = diagnosed(person, "ana@127.0.0.1:9", code=3)
    assert document["cause"] == "ssh-connection"
    assert statuses(document)["local-display-dead"] == "pass"


def test_the_table_is_plain_in_a_pipe_and_fits_80_columns(
    person: Person, chroot_host: Callable[..., ChrootHost]
) -> None:
    person.alias("gpu1", chroot_host("bookworm", "bare"), user="ana")
    status, out, err = person.run(person.x11fwd("doctor", "gpu1"), timeout=400)
    assert status == 1
    assert "\x1b" not in out + err
    assert err == ""
    assert [line for line in out.splitlines() if len(line) > 80 and not line.endswith("`")] == []
    assert out.splitlines()[0] == "Cause: sshd on gpu1 has X11 forwarding switched off"
    assert out.splitlines()[-1] == "Next: `x11fwd setup gpu1`"


def test_nothing_on_the_remote_is_changed(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> None:
    from tests.lab.hosts import diff

    host = new_chroot_host("bookworm", "bare", Setup())
    person.alias("gpu1", host, user="ana")
    before = host.snapshot()
    diagnosed(person, "gpu1")
    assert diff(before, host.snapshot()) == []
