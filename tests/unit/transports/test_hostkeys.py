"""Host keys verified as ssh verifies them: whom is asked, what is written down, what is refused."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.transports.sample_keys import ECDSA, ED25519, ED25519_OTHER, RSA
from x11fwd.errors import HostKeyError
from x11fwd.target import SshConfig
from x11fwd.transports.base import HostKeyQuestion
from x11fwd.transports.hostkeys import HostKeys
from x11fwd.transports.known_hosts import HostKey, fingerprint, parse_known_hosts

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Asked:
    accept: bool = True
    questions: list[HostKeyQuestion] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        self.questions.append(question)
        return self.accept

    def secret(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def visible(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def notice(self, text: str) -> None:
        self.notices.append(text)


def config(**values: str) -> SshConfig:
    words = {"hostname": "gpu1", "port": "22", "user": "ana", **values}
    return SshConfig(MappingProxyType({key: (value,) for key, value in words.items()}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".ssh" / "known_hosts"


def keys(file: Path, *entries: tuple[str, HostKey], **values: str) -> HostKeys:
    if entries:
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{name} {key.kind} {key.base64}\n" for name, key in entries))
    return HostKeys(config(**values), [str(file)], [])


def test_a_known_key_needs_no_question(file: Path) -> None:
    asked = Asked()
    assert keys(file, ("gpu1", ED25519)).verify(ED25519, asked)
    assert not asked.questions


def test_an_unknown_key_is_asked_for_and_written_down(file: Path) -> None:
    asked = Asked()
    assert keys(file, port="2222").verify(ED25519, asked)
    assert asked.questions == [HostKeyQuestion("[gpu1]:2222", "ED25519", fingerprint(ED25519))]
    assert [entry.key for entry in parse_known_hosts(file.read_text())] == [ED25519]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert keys(file, port="2222").verify(ED25519, Asked(accept=False))


def test_a_refused_key_is_not_written_down(file: Path) -> None:
    with pytest.raises(HostKeyError, match="not accepted") as caught:
        keys(file).verify(ED25519, Asked(accept=False))
    assert fingerprint(ED25519) in caught.value.hint
    assert not file.exists()


def test_a_last_line_without_a_newline_is_not_glued_to_ours(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f"other {RSA.kind} {RSA.base64}")
    keys_there = HostKeys(config(), [str(file)], [])
    assert keys_there.verify(ED25519, Asked())
    assert len(parse_known_hosts(file.read_text())) == 2


def test_a_changed_key_is_refused_with_the_keygen_line(file: Path) -> None:
    with pytest.raises(HostKeyError) as caught:
        keys(file, ("[gpu1]:2222", ED25519_OTHER), port="2222").verify(ED25519, Asked())
    assert f"`ssh-keygen -f {file} -R '[gpu1]:2222'`" in caught.value.hint
    assert fingerprint(ED25519) in caught.value.message
    assert f"{file}:1" in caught.value.message


def test_a_changed_key_names_the_file_that_holds_the_old_one(file: Path, tmp_path: Path) -> None:
    system = tmp_path / "system file"
    system.write_text(f"gpu1 {RSA.kind} {RSA.base64}\n")
    with pytest.raises(HostKeyError) as caught:
        HostKeys(config(), [str(file)], [str(system)]).verify(ED25519, Asked())
    assert f"ssh-keygen -f '{system}' -R gpu1" in caught.value.hint


@pytest.mark.parametrize("strict", ["no", "off"])
def test_without_strict_checking_a_changed_key_passes_but_is_not_trusted(file: Path, strict: str) -> None:
    asked = Asked()
    there = keys(file, ("gpu1", ED25519_OTHER), stricthostkeychecking=strict)
    assert there.verify(ED25519, asked) is False
    assert "changed" in asked.notices[0]


@pytest.mark.parametrize("strict", ["no", "off", "accept-new"])
def test_new_keys_are_written_down_without_a_question_where_that_is_wanted(file: Path, strict: str) -> None:
    asked = Asked(accept=False)
    assert keys(file, stricthostkeychecking=strict).verify(ED25519, asked)
    assert not asked.questions
    assert file.exists()


@pytest.mark.parametrize("strict", ["yes", "true"])
def test_strict_checking_asks_nobody(file: Path, strict: str) -> None:
    asked = Asked()
    with pytest.raises(HostKeyError, match="strict checking"):
        keys(file, stricthostkeychecking=strict).verify(ED25519, asked)
    assert not asked.questions


def test_accept_new_still_refuses_a_changed_key(file: Path) -> None:
    with pytest.raises(HostKeyError, match="changed"):
        keys(file, ("gpu1", ED25519_OTHER), stricthostkeychecking="accept-new").verify(ED25519, Asked())


def test_a_revoked_key_is_refused_wherever_it_is_listed(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f"@revoked * {ED25519.kind} {ED25519.base64}\ngpu1 {ED25519.kind} {ED25519.base64}\n")
    with pytest.raises(HostKeyError, match="revoked"):
        HostKeys(config(), [str(file)], []).verify(ED25519, Asked())


def test_a_key_listed_for_the_bare_name_is_good_on_another_port(file: Path) -> None:
    assert keys(file, ("gpu1", ED25519), port="2222").verify(ED25519, Asked(accept=False))


def test_another_key_listed_for_the_bare_name_is_only_unknown_on_another_port(file: Path) -> None:
    asked = Asked()
    assert keys(file, ("gpu1", RSA), port="2222").verify(ED25519, asked)
    assert asked.questions


def test_an_alias_replaces_name_and_port(file: Path) -> None:
    there = keys(file, ("cluster", ED25519), port="2222", hostkeyalias="Cluster")
    assert there.name == "cluster"
    assert there.verify(ED25519, Asked(accept=False))


def test_localhost_needs_no_key_where_the_user_says_so(file: Path) -> None:
    there = keys(file, ("gpu1", ED25519_OTHER), nohostauthenticationforlocalhost="yes")
    assert there.verify(ED25519, Asked(), loopback=True)
    with pytest.raises(HostKeyError):
        there.verify(ED25519, Asked(), loopback=False)


def test_hashed_lines_are_written_where_that_is_wanted(file: Path) -> None:
    keys(file, hashknownhosts="yes").verify(ED25519, Asked())
    assert file.read_text().startswith("|1|")


def test_a_file_that_cannot_be_written_is_told_and_no_reason_to_stop(tmp_path: Path) -> None:
    asked = Asked()
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert HostKeys(config(), [str(blocked / "known_hosts")], []).verify(ED25519, asked)
    assert "could not be added" in asked.notices[0]


def test_dev_null_as_known_hosts_stays_empty() -> None:
    assert HostKeys(config(), ["/dev/null"], []).verify(ED25519, Asked())


def test_algorithms_follow_the_configuration_and_what_is_known(file: Path) -> None:
    ours = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")
    there = keys(file, ("gpu1", ECDSA), hostkeyalgorithms="rsa-sha2-512,ssh-ed25519,ecdsa-sha2-nistp256,x")
    assert there.algorithms(ours) == ("ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-ed25519")
    assert keys(file).algorithms(ours) == ("ecdsa-sha2-nistp256", "ssh-ed25519", "rsa-sha2-512")
