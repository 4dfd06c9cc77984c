"""`--engine ansible` takes inventories that only Ansible can read; its real ansible-inventory is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret  # type: ignore[import-untyped]

from x11fwd.errors import UsageError
from x11fwd.inventory import load_inventory, select
from x11fwd.pipeline.ansible_inventory import reader

if TYPE_CHECKING:
    from pathlib import Path


HOSTS = b"""\
all:
  vars: {ansible_user: ana, ansible_port: 2201, ansible_become_password: s3cret}
  children:
    rack1: {hosts: {n1: {}}}
    rack2: {hosts: {n2: {ansible_port: 2202}}}
    racks: {children: {rack1: {}, rack2: {}}}
"""


def test_an_inventory_in_a_vault_is_opened_by_ansible_and_its_secrets_stay_there(tmp_path: Path) -> None:
    file, key = tmp_path / "hosts.yml", tmp_path / "key"
    key.write_text("correct horse\n")
    file.write_bytes(VaultLib([("default", VaultSecret(b"correct horse"))]).encrypt(HOSTS))

    with pytest.raises(UsageError, match="encrypted by Ansible's vault"):
        load_inventory(file)
    with pytest.raises(UsageError, match=r"Ansible cannot read .*hosts\.yml either") as caught:
        reader(None)(file)
    assert "--vault-password-file" in caught.value.hint

    found = reader(key)(file)
    assert [(one.name, one.user, one.port) for one in found.hosts] == [
        ("n1", "ana", 2201),
        ("n2", "ana", 2202),
    ]
    assert {one.become.password for one in found.hosts} == {None}
    assert [one.name for one in select(found, "racks:!rack1")] == ["n2"]


def test_what_we_can_read_ourselves_needs_no_ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("x11fwd.pipeline.ansible_process.program", lambda: pytest.fail("Ansible was asked"))
    (tmp_path / "hosts").write_text("n1\n")
    assert [host.name for host in reader(None)(tmp_path / "hosts").hosts] == ["n1"]
    with pytest.raises(UsageError, match="cannot be read: no such file"):
        reader(None)(tmp_path / "gone")
