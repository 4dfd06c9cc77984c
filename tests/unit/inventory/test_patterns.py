"""Patterns choose the hosts that Ansible chooses; a name that nothing has is an error, other than there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import UsageError
from x11fwd.inventory import choose_names

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("gpu1", "gpu2", "gpu3", "cpu1", "cpu2", "2001:db8::1")
GROUPS = {
    "all": NAMES,
    "gpu": ("gpu1", "gpu2", "gpu3"),
    "cpu": ("cpu1", "cpu2"),
    "old": ("gpu2", "cpu2"),
    "empty": (),
}
# What `ansible PATTERN --list-hosts` of ansible-core 2.19 answers for the same groups.
CASES = {
    "all": NAMES,
    "*": NAMES,
    "gpu": ("gpu1", "gpu2", "gpu3"),
    "gpu:cpu": ("gpu1", "gpu2", "gpu3", "cpu1", "cpu2"),
    "gpu,cpu1": ("gpu1", "gpu2", "gpu3", "cpu1"),
    "gpu:&old": ("gpu2",),
    "gpu:!old": ("gpu1", "gpu3"),
    "!old:gpu": ("gpu1", "gpu3"),
    "gpu:cpu:&old:!gpu2": ("cpu2",),
    "!gpu": ("cpu1", "cpu2", "2001:db8::1"),
    "&old": ("gpu2", "cpu2"),
    "*1": ("gpu1", "cpu1", "2001:db8::1"),
    "[gc]pu2": ("gpu2", "cpu2"),
    "~.pu[12]": ("gpu1", "gpu2", "cpu1", "cpu2"),
    "~(gpu|cpu)1,!cpu": ("gpu1",),
    "gpu[0]": ("gpu1",),
    "gpu[-1]": ("gpu3",),
    "gpu[0:1]": ("gpu1", "gpu2"),
    "gpu[1:]": ("gpu2", "gpu3"),
    "2001:db8::1": ("2001:db8::1",),
}


@pytest.mark.parametrize("pattern", CASES)
def test_a_pattern_chooses_what_ansible_would(pattern: str) -> None:
    assert choose_names(NAMES, GROUPS, pattern) == CASES[pattern]


def test_a_file_holds_patterns_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# failed yesterday\ngpu1\n\ncpu:!old\n")
    assert choose_names(NAMES, GROUPS, f"@{tmp_path / 'list'}") == ("gpu1", "cpu1")


WRONG = {
    "gpux": ("`--limit` names `gpux`, which is neither a host nor a group", "did you mean `gpu`?"),
    "gpu:!odl": ("`--limit` names `odl`", "did you mean `old`?"),
    "gpu:&cpu": ("no host is left by `--limit gpu:&cpu`", "groups are all, cpu, gpu, old"),
    "empty": ("no host is left", ""),
    "~(": ("`~(` is no regular expression", ""),
    "gpu[7]": ("`gpu[7]` asks for a host beyond the 3 of `gpu`", ""),
    "@/nowhere/list": ("the file /nowhere/list of `--limit` cannot be read: no such file", ""),
    ",": ("`--limit ,` names nothing", ""),
}


@pytest.mark.parametrize("pattern", WRONG)
def test_a_pattern_that_means_nobody_is_an_error(pattern: str) -> None:
    message, hint = WRONG[pattern]
    with pytest.raises(UsageError) as raised:
        choose_names(NAMES, GROUPS, pattern)
    assert message in raised.value.message
    assert hint in raised.value.hint
