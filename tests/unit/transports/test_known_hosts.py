"""known_hosts files: every form of sshd(8), and the verdict on a key."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.transports import sample_keys
from x11fwd.transports.known_hosts import (
    HostKey,
    Verdict,
    fingerprint,
    has_authority,
    host_name,
    judge,
    known_types,
    new_line,
    parse_known_hosts,
    prefer_known,
)

if TYPE_CHECKING:
    from pathlib import Path

ED, ED2, RSA, EC = sample_keys.ED25519, sample_keys.ED25519_OTHER, sample_keys.RSA, sample_keys.ECDSA


def line(patterns: str, key: HostKey = ED, marker: str = "") -> str:
    return f"{marker} {patterns} {key.kind} {key.base64} comment".strip() + "\n"


MATCHES = [
    ("gpu1", "gpu1", True),
    ("gpu1", "gpu2", False),
    ("GPU1.Example.org", "gpu1.example.org", True),
    ("a,gpu1,b", "gpu1", True),
    ("gpu1", "[gpu1]:2222", False),
    ("[gpu1]:2222", "[gpu1]:2222", True),
    ("[gpu1]:2222", "gpu1", False),
    ("[gpu1]:*", "[gpu1]:2222", True),
    ("*.example.org", "gpu1.example.org", True),
    ("*.example.org", "example.org", False),
    ("gpu?", "gpu1", True),
    ("gpu?", "gpu10", False),
    ("gpu[12]", "gpu1", False),
    ("*,!gpu2", "gpu1", True),
    ("*,!gpu2", "gpu2", False),
    ("!gpu2,*", "gpu2", False),
    ("!gpu2", "gpu1", False),
    ("::1", "::1", True),
    ("[::1]:2222", "[::1]:2222", True),
]


@pytest.mark.parametrize(("patterns", "name", "wanted"), MATCHES, ids=[f"{m[0]} {m[1]}" for m in MATCHES])
def test_patterns_match_as_in_ssh(patterns: str, name: str, wanted: bool) -> None:
    (entry,) = parse_known_hosts(line(patterns))
    assert entry.matches(name) is wanted


@pytest.mark.parametrize("name", ["gpu1", "[gpu1]:2222", "[::1]:22022"])
def test_hashed_names_of_ssh_keygen_are_found(name: str, tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(line(name))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    text = file.read_text()
    assert "gpu1" not in text
    assert "::1" not in text
    (entry,) = parse_known_hosts(text)
    assert entry.matches(name)
    assert not entry.matches("other")


def test_ssh_keygen_finds_the_lines_we_write_hashed_or_not(tmp_path: Path) -> None:
    for hashed in (False, True):
        file = tmp_path / str(hashed)
        file.write_text(new_line("[gpu1]:2222", ED, hashed=hashed))
        assert file.read_text().startswith("|1|") is hashed
        found = subprocess.run(
            ["ssh-keygen", "-F", "[gpu1]:2222", "-f", str(file)], capture_output=True, check=False
        )
        assert found.returncode == 0
        assert parse_known_hosts(file.read_text())[0].key == ED


def test_lines_that_are_no_entry_are_passed_over() -> None:
    text = (
        "# comment\n\n   \nonly two\nhost ssh-ed25519 not!base64\nhost ssh-rsa AAAA\n"
        f"host ssh-rsa {ED.base64}\n@unknown host {ED.kind} {ED.base64}\n1024 35 12345\n"
    )
    assert parse_known_hosts(text) == ()


def test_an_entry_remembers_its_file_and_line() -> None:
    (entry,) = parse_known_hosts("# one\n\n" + line("gpu1"), "/home/ana/.ssh/known_hosts")
    assert (entry.file, entry.line) == ("/home/ana/.ssh/known_hosts", 3)


def test_unknown_key_types_do_not_hurt_the_lines_beside_them() -> None:
    new = HostKey("ssh-mldsa", b"\0\0\0\x09ssh-mldsa\0\0\0\x01x")
    entries = parse_known_hosts(line("gpu1", new) + line("gpu1", ED))
    assert [entry.key.kind for entry in entries] == ["ssh-mldsa", "ssh-ed25519"]


VERDICTS = [
    ("", Verdict.UNKNOWN),
    (line("other"), Verdict.UNKNOWN),
    (line("gpu1"), Verdict.KNOWN),
    (line("gpu1", ED2), Verdict.CHANGED),
    (line("gpu1", ED2) + line("gpu1"), Verdict.KNOWN),
    (line("gpu1", RSA), Verdict.CHANGED),
    (line("gpu1", RSA) + line("gpu1"), Verdict.KNOWN),
    (line("gpu1", marker="@cert-authority"), Verdict.UNKNOWN),
    (line("*", marker="@revoked"), Verdict.REVOKED),
    (line("gpu1") + line("*", marker="@revoked"), Verdict.REVOKED),
    (line("gpu1") + line("*", ED2, marker="@revoked"), Verdict.KNOWN),
    (line("gpu1") + line("other", marker="@revoked"), Verdict.KNOWN),
]


@pytest.mark.parametrize(("text", "wanted"), VERDICTS, ids=range(len(VERDICTS)))
def test_the_verdict_is_that_of_ssh(text: str, wanted: Verdict) -> None:
    assert judge(parse_known_hosts(text), "gpu1", ED)[0] is wanted


def test_the_verdict_names_its_lines() -> None:
    entries = parse_known_hosts(line("x") + line("gpu1", ED2), "f")
    assert [(entry.file, entry.line) for entry in judge(entries, "gpu1", ED)[1]] == [("f", 2)]


def test_a_certificate_authority_for_the_host_is_seen() -> None:
    entries = parse_known_hosts(line("*.example.org", marker="@cert-authority"))
    assert has_authority(entries, "gpu1.example.org")
    assert not has_authority(entries, "gpu1")


def test_known_types_are_asked_for_first() -> None:
    ours = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
    entries = parse_known_hosts(line("gpu1", RSA) + line("gpu1", EC) + line("gpu2", ED))
    kinds = known_types(entries, "gpu1")
    assert kinds == ("ssh-rsa", "ecdsa-sha2-nistp256")
    assert prefer_known(ours, kinds) == (
        *("ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
        "ssh-ed25519",
    )
    assert prefer_known(ours, ()) == ours


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    for key in (ED, RSA, EC):
        file = tmp_path / "key.pub"
        file.write_text(f"{key.kind} {key.base64}\n")
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(file)], capture_output=True, text=True, check=True
        )
        assert fingerprint(key) == shown.stdout.split()[1]


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [("GPU1", 22, "gpu1"), ("gpu1", 2222, "[gpu1]:2222"), ("::1", 22, "::1"), ("::1", 23, "[::1]:23")],
)
def test_the_name_of_a_host_holds_its_port(host: str, port: int, name: str) -> None:
    assert host_name(host, port) == name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ssh-ed25519", "ED25519"),
        ("ssh-rsa", "RSA"),
        ("ecdsa-sha2-nistp256", "ECDSA"),
        ("sk-ssh-ed25519@openssh.com", "ED25519"),
    ],
)
def test_key_types_are_named_as_ssh_names_them(kind: str, name: str) -> None:
    assert HostKey(kind, b"").name == name
