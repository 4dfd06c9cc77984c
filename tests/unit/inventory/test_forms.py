"""Inventories in both forms mean the same as to Ansible; what cannot be meant is named with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import UsageError
from x11fwd.inventory import InventoryError, load_inventory, target_for
from x11fwd.target import SshOptions

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.inventory import Inventory, InventoryHost

INI = """\
# the lab
alone ansible_host=10.0.0.9   # by hand
[2001:db8::1]:2200 ansible_user=root
[gpu]
gpu[01:03].lab:2222 ansible_user=ana
[cpu]
n-[a:e:2] ansible_ssh_common_args='-o ProxyJump=bastion -C' ansible_ssh_private_key_file=~/k
[lab:children]
gpu
cpu
[lab:vars]
ansible_become=true
ansible_become_password='a b'
ansible_user=lab
[cpu:vars]
ansible_port=2022
"""
YAML = """\
all:
  hosts:
    alone: {ansible_host: 10.0.0.9}
    "2001:db8::1":
      ansible_port: 2200
      ansible_user: root
  children:
    lab:
      vars:
        ansible_become: yes
        ansible_become_password: a b
        ansible_user: lab
      children:
        gpu:
          hosts:
            gpu[01:03].lab:2222:
              ansible_user: ana
        cpu:
          hosts:
            n-[a:e:2]:
              ansible_ssh_common_args: -o ProxyJump=bastion -C
              ansible_ssh_private_key_file: ~/k
          vars: {ansible_port: 2022}
"""


def read(folder: Path, text: str, name: str = "hosts") -> Inventory:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return load_inventory(file)


def the(inventory: Inventory, name: str) -> InventoryHost:
    return next(host for host in inventory.hosts if host.name == name)


@pytest.mark.parametrize(("name", "text"), [("hosts", INI), ("hosts.yml", YAML)], ids=["INI", "YAML"])
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, text, name)
    assert [host.name for host in found.hosts] == [
        *("alone", "2001:db8::1", "gpu01.lab", "gpu02.lab", "gpu03.lab", "n-a", "n-c", "n-e"),
    ]
    assert found.groups["lab"] == ("gpu01.lab", "gpu02.lab", "gpu03.lab", "n-a", "n-c", "n-e")
    assert found.groups["ungrouped"] == ("alone", "2001:db8::1")
    assert the(found, "alone").address == "10.0.0.9"
    assert (the(found, "2001:db8::1").port, the(found, "2001:db8::1").user) == (2200, "root")
    gpu, cpu = the(found, "gpu02.lab"), the(found, "n-c")
    assert (gpu.port, gpu.user, gpu.groups) == (2222, "ana", ("gpu", "lab"))
    assert (cpu.port, cpu.user, cpu.ssh_args) == (2022, "lab", ("-o", "ProxyJump=bastion", "-C"))
    assert (cpu.become.wanted, cpu.become.password) == (True, "a b")
    assert "a b" not in repr(cpu) + repr(found)


def test_one_host_a_line_may_be_a_target_as_typed(tmp_path: Path) -> None:
    found = read(tmp_path, "gpu1\nana@gpu2\n\n; a remark\ngpu3:2222\nssh://ben@gpu4:22\n")
    targets = [target_for(host) for host in found.hosts]
    assert [(one.typed, one.user, one.host, one.port) for one in targets] == [
        ("gpu1", None, "gpu1", None),
        ("ana@gpu2", "ana", "gpu2", None),
        ("gpu3", None, "gpu3", 2222),
        ("ssh://ben@gpu4:22", "ben", "gpu4", 22),
    ]


def test_the_nearest_definition_counts_and_files_beside_it_count_more(tmp_path: Path) -> None:
    (tmp_path / "group_vars" / "b").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("ansible_user: everybody\nlist: [1]\n")
    (tmp_path / "group_vars" / "b" / "x.yml").write_text("ansible_port: 4\n")
    (tmp_path / "group_vars" / "b" / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n66\n")
    (tmp_path / "host_vars" / "two").write_text("ansible_user: second\n")
    text = "[a]\none\ntwo\n[b]\none\ntwo ansible_port=5\n[a:vars]\nansible_port=1\n[b:vars]\nansible_port=2\n"
    found = read(tmp_path, text + "[top:children]\na\n[top:vars]\nansible_port=9\nansible_become=false\n")
    one, two = the(found, "one"), the(found, "two")
    assert (one.port, one.user, one.become.wanted) == (4, "everybody", False)
    assert (two.port, two.user) == (5, "second")


def test_plain_templates_are_filled_in_and_others_are_named(tmp_path: Path) -> None:
    text = "gpu1.lab domain=x.org ansible_host='{{ inventory_hostname_short }}.{{ domain }}'\n"
    assert the(read(tmp_path, text), "gpu1.lab").address == "gpu1.x.org"
    with pytest.raises(InventoryError, match=r"hosts:2: `ansible_host` of b is a template") as raised:
        read(tmp_path, "a\nb ansible_host=\"{{ lookup('env', 'HOST') }}\"\n")
    assert "--engine ansible" in raised.value.hint


def test_what_a_vault_holds_is_asked_for_where_it_is_a_password_and_named_where_it_is_not(
    tmp_path: Path,
) -> None:
    vaulted = "all:\n  hosts:\n    a:\n      {}: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        66\n"
    found = read(tmp_path, vaulted.format("ansible_become_password"), "h.yml")
    assert the(found, "a").become.password is None
    with pytest.raises(InventoryError, match=r"h.yml:4: `ansible_host` of a is encrypted"):
        read(tmp_path, vaulted.format("ansible_host"), "h.yml")


def test_arguments_for_ssh_become_options_of_ours_before_those_of_the_command_line(tmp_path: Path) -> None:
    text = "a ansible_host=10.1 ansible_ssh_common_args='-o \"ProxyCommand=ssh -W %h:%p b\" -i /k -J j -4'\n"
    target = target_for(the(read(tmp_path, text), "a"), SshOptions(port=7, options=("User=x",)))
    assert (target.typed, target.host) == ("a", "10.1")
    assert target.options.argv() == (
        *("-p", "7", "-i", "/k", "-J", "j", "-o", "ProxyCommand=ssh -W %h:%p b"),
        *("-o", "AddressFamily=inet", "-o", "User=x"),
    )
    with pytest.raises(UsageError, match=r"ansible_ssh_common_args` of a holds '-W'"):
        target_for(the(read(tmp_path, "a ansible_ssh_common_args='-W x:1'\n"), "a"))


def test_hosts_that_are_not_reached_by_ssh_are_known(tmp_path: Path) -> None:
    found = read(tmp_path, "a ansible_connection=local\nb ansible_connection=ansible.builtin.ssh\nc\n")
    assert [host.by_ssh for host in found.hosts] == [False, True, True]


WRONG = {
    "a range backwards": ("x\ng[5:1]\n", "hosts:2: 'g[5:1]': the range goes backwards, from 5 to 1"),
    "no range": ("g[15]\n", "hosts:1: 'g[15]': the brackets hold no range"),
    "uneven width": ("g[01:100]\n", "hosts:1: 'g[01:100]': 01 and 100 have to be written equally wide"),
    "far too many": ("g[1:999999999]\n", "the range stands for more than 100000 hosts"),
    "an open quote": ("a\nb x='y\n", "hosts:2: no closing quotation in 'b'"),
    "no variable": ("a secret word\n", "hosts:1: 'secret' after a host is no `name=value`"),
    "no section": ("[a b]\n", "hosts:1: '[a b]' is no section"),
    "an unknown section": ("[a:things]\n", "hosts:1: a section is `:children` or `:vars`, not `:things`"),
    "an unknown child": ("[a:children]\nb\n", "hosts:2: `a` has a child `b` that is no group"),
    "a circle": ("[a:children]\nb\n[b:children]\na\n", "hosts:4: the group `a` is its own child"),
    "variables of nobody": ("x\n[a:vars]\nb=1\n", "hosts:2: `a` has variables and is no group"),
    "a bad port": ("a:99999\n", "hosts:1: 'a:99999': 99999 is no port number"),
    "a worse port": ("a\nb ansible_port=ssh\n", "hosts:2: `ansible_port` of b is no port number"),
    "no truth": ("a ansible_become=perhaps\n", "`ansible_become` of a must be true or false, not 'perhaps'"),
    "a shell": ("a;b\n", "hosts:1: 'a;b': this is no name of a host"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_named(tmp_path: Path, name: str) -> None:
    text, words = WRONG[name]
    with pytest.raises(InventoryError) as raised:
        read(tmp_path, text)
    assert words in raised.value.message


WRONG_YAML = {
    "a list": ("- a\n", "h.yml:1: an inventory is a mapping of groups"),
    "a plugin": ("plugin: aws_ec2\n", "h.yml:1: this configures an inventory plugin"),
    "hosts in a list": ("all:\n  hosts:\n    - a\n", "h.yml:3: `hosts` of the group `all` must be a mapping"),
    "an unknown key": ("all:\n  host:\n    a:\n", "h.yml:3: the group `all` has an unknown key `host`"),
    "no YAML": ("all:\n  hosts: {\n", "h.yml:3: is not YAML"),
    "a word for variables": (
        "all:\n  hosts:\n    a: yes\n",
        "h.yml:3: the variables of `a` must be a mapping",
    ),
}


@pytest.mark.parametrize("name", WRONG_YAML)
def test_wrong_yaml_is_named(tmp_path: Path, name: str) -> None:
    text, words = WRONG_YAML[name]
    with pytest.raises(InventoryError) as raised:
        read(tmp_path, text, "h.yml")
    assert words in raised.value.message


def test_what_is_no_file_of_hosts_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: no such file"):
        load_inventory(tmp_path / "none")
    with pytest.raises(UsageError, match="is a folder of inventories"):
        load_inventory(tmp_path)
    program = tmp_path / "ec2.py"
    program.write_text("#!/usr/bin/python3\n")
    program.chmod(0o755)
    with pytest.raises(InventoryError, match="a program that prints an inventory"):
        load_inventory(program)
    (tmp_path / "bytes").write_bytes(b"a\n\xff\n")
    with pytest.raises(InventoryError, match="bytes:2: is not UTF-8 text"):
        load_inventory(tmp_path / "bytes")
