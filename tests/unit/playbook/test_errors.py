"""Everything that a playbook can say wrong is an error that names the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import PlaybookError, UsageError
from x11fwd.playbook import load_families, load_playbook

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "schema: x11fwd.playbook/1\nname: mine\ndescription: A test.\nsteps:\n"  # four lines

# name of the case: (what follows the head, line, words of the message)
WRONG_STEPS = {
    "an unknown step": ("  - name: a\n    pakages: [xauth]\n", 6, "unknown step `pakages`"),
    "a step without anything to do": ("  - name: a\n", 5, "without anything to do"),
    "a step that does two things": (
        "  - name: a\n    packages: [xauth]\n    matplotlibrc: {backend: TkAgg}\n",
        7,
        "both `packages` and `matplotlibrc`",
    ),
    "a step without a name": ("  - packages: [xauth]\n", 5, "no `name`"),
    "two steps of one name": (
        "  - name: a\n    packages: [xauth]\n  - name: a\n    packages: [tk]\n",
        7,
        "two steps are named `a` (first on line 5)",
    ),
    "an unknown key beside the step": (
        "  - name: a\n    packages: [xauth]\n    whem: [python.kind is system]\n",
        7,
        "unknown key `whem`",
    ),
    "a key that stands twice": (
        "  - name: a\n    packages: [xauth]\n    name: b\n",
        7,
        "`name` stands twice (first on line 5)",
    ),
    "a step that is a word": ("  - xauth\n", 5, "must be a mapping"),
    "steps that are a mapping": ("  packages: [xauth]\n", 5, "must be a list"),
    "no steps": ("  []\n", 5, "empty list"),
    "packages that are a word": ("  - name: a\n    packages: xauth\n", 6, "must be a list, not `xauth`"),
    "no packages": ("  - name: a\n    packages: []\n", 6, "empty list"),
    "an option instead of a package": ("  - name: a\n    packages: [xauth, --force]\n", 6, "no package name"),
    "a package with a shell in it": ("  - name: a\n    packages: ['x;reboot']\n", 6, "no package name"),
    "an unknown fact": (
        "  - name: a\n    when:\n      - user.root is no\n      - python.colour is red\n    packages: [x]\n",
        8,
        "unknown fact `python.colour`",
    ),
    "a condition of another grammar": (
        "  - name: a\n    when: [python.kind == system]\n    packages: [x]\n",
        6,
        "is no condition",
    ),
    "a version that is none": (
        "  - name: a\n    when: [sshd.version >= new]\n    packages: [x]\n",
        6,
        "compares versions",
    ),
    "an effective keyword in capitals": (
        "  - name: a\n    when: [sshd.effective.X11Forwarding is yes]\n    packages: [x]\n",
        6,
        "lower case",
    ),
    "conditions that are a word": (
        "  - name: a\n    when: python.kind is system\n    packages: [x]\n",
        6,
        "must be a list",
    ),
    "become on a step of the user": (
        "  - name: a\n    become: true\n    matplotlibrc: {backend: TkAgg}\n",
        6,
        "never needs root",
    ),
    "become taken from a step of root": (
        "  - name: a\n    become: false\n    packages: [xauth]\n",
        6,
        "always needs root",
    ),
    "become that is neither": (
        "  - name: a\n    become: maybe\n    file: {path: /x, content: y}\n",
        6,
        "true or false",
    ),
    "an sshd option that opens a block": (
        "  - name: a\n    sshd_option: {Match: all}\n",
        6,
        "no keyword",
    ),
    "an sshd value that is two lines": (
        '  - name: a\n    sshd_option: {X11Forwarding: "yes\\nPermitRootLogin yes"}\n',
        6,
        "one line",
    ),
    "an sshd value that is two words": (
        "  - name: a\n    sshd_option: {X11Forwarding: yes no}\n",
        6,
        "one word",
    ),
    "an sshd option in two spellings": (
        "  - name: a\n    sshd_option:\n      X11Forwarding: yes\n      x11forwarding: no\n",
        8,
        "stands twice",
    ),
    "no sshd option": ("  - name: a\n    sshd_option: {}\n", 6, "names no option"),
    "an sshd value that is a list": (
        "  - name: a\n    sshd_option: {X11Forwarding: [yes]}\n",
        6,
        "not a list",
    ),
    "another key of matplotlibrc": (
        "  - name: a\n    matplotlibrc: {interactive: yes}\n",
        6,
        "unknown key `interactive`",
    ),
    "a backend without windows": (
        "  - name: a\n    matplotlibrc: {backend: Agg}\n",
        6,
        "no backend that opens",
    ),
    "a misspelt backend": ("  - name: a\n    matplotlibrc: {backend: TkAg}\n", 6, "no backend that opens"),
    "a relative path": ("  - name: a\n    file: {path: etc/x, content: y}\n", 6, "absolute path"),
    "a path that climbs": ("  - name: a\n    file: {path: /etc/../x, content: y}\n", 6, "absolute path"),
    "a file without content": ("  - name: a\n    file: {path: /etc/x}\n", 6, "no `content`"),
    "an empty content": ("  - name: a\n    file:\n      path: /etc/x\n      content:\n", 8, "empty"),
    "a mode that is none": ("  - name: a\n    file: {path: /x, content: y, mode: rw}\n", 6, "no file mode"),
    "an unknown state": (
        "  - name: a\n    service:\n      name: ssh\n      state: restarted\n",
        8,
        "unknown state `restarted`",
    ),
    "a service that is an option": (
        "  - name: a\n    service: {name: --all, state: started}\n",
        6,
        "service name",
    ),
    "a command without undo": ("  - name: a\n    command: {check: [a], do: [b]}\n", 6, "no `undo`"),
    "a command as one text": (
        "  - name: a\n    command: {check: a b, do: [b], undo: [c]}\n",
        6,
        "must be a list",
    ),
}

# name of the case: (the whole text, line, words of the message)
WRONG_FILES = {
    "no YAML": ("schema: [x\nname: y\n", 2, "is not YAML"),
    "two documents": (HEAD + "  - name: a\n    packages: [x]\n---\nname: b\n", 7, "is not YAML"),
    "an empty file": ("", 1, "must be a mapping"),
    "a list": ("- a\n", 1, "must be a mapping"),
    "no schema": ("name: x\n", 1, "no `schema`"),
    "another schema": ("# hm\nschema: x11fwd.playbook/9\n", 2, "schema is `x11fwd.playbook/9`"),
    "an unknown key": (HEAD.replace("description", "descripton"), 3, "unknown key `descripton`"),
    "no steps": ("schema: x11fwd.playbook/1\nname: a\ndescription: b\n", 1, "no `steps`"),
    "a name with blanks": (HEAD.replace("mine", "My Book") + "  - name: a\n", 2, "is no name"),
    "a tag that would run something": (
        "schema: x11fwd.playbook/1\nname: !!python/object/apply:os.system [ls]\ndescription: b\nsteps: []\n",
        2,
        "must be one word or text",
    ),
    "a control character": ("schema: x11fwd.playbook/1\nname: a\x01\n", 2, "forbidden character"),
}


@pytest.mark.parametrize("case", WRONG_STEPS)
def test_a_wrong_step_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    text, line, words = WRONG_STEPS[case]
    _assert_wrong(tmp_path / "mine.yml", HEAD + text, line, words)


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    text, line, words = WRONG_FILES[case]
    _assert_wrong(tmp_path / "mine.yml", text, line, words)


def _assert_wrong(path: Path, text: str, line: int, words: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlaybookError) as raised:
        load_playbook(str(path))
    assert words in raised.value.message
    assert (raised.value.file, raised.value.line) == (str(path), line)
    assert raised.value.message.startswith(f"{path}:{line}: ")
    assert raised.value.exit_code == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="No such file"):
        load_playbook(str(tmp_path / "none.yml"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlaybookError, match="not UTF-8"):
        load_playbook(str(tmp_path / "mine.yml"))


def test_an_unknown_name_lists_the_shipped_playbooks() -> None:
    with pytest.raises(UsageError) as raised:
        load_playbook("defualt")
    assert "default, qt" in raised.value.hint


FAMILY = """\
schema: x11fwd.family/1
name: invented
ids: [invented]
managers:
  pkg:
    installed: [pkg, has]
    all_installed: [pkg, list]
    install: [pkg, add]
    remove: [pkg, del]
    by_hand: [[pkg, add]]
    by_hand_remove: [pkg, del]
packages:
  xauth: [xauth]
services:
  sshd: {openrc: [sshd]}
states:
  pid:
    reloaded: {do: [[kill, -HUP, "{pid}"]]}
"""

# name of the case: (old text, new text, line, words of the message)
WRONG_FAMILIES = {
    "an unknown placeholder": ("{pid}", "{number}", 18, "unknown placeholder `{number}`"),
    "an unknown init": ("openrc", "dinit", 15, "unknown key `dinit`"),
    "a state that nothing takes back": ("reloaded: {", "started: {check: [a], ", 18, "no `undo`"),
    "a manager that cannot remove": ("    remove: [pkg, del]\n", "", 6, "no `remove`"),
    "a choice that is never taken": (
        "xauth: [xauth]",
        "xauth:\n    - names: [a]\n    - names: [b]",
        15,
        "can never be taken",
    ),
    "a package name that hangs on a program": (
        "xauth: [xauth]",
        "xauth:\n    - when: [python.kind is system]\n      names: [a]",
        14,
        "only facts of `system.`",
    ),
}


@pytest.mark.parametrize("case", WRONG_FAMILIES)
def test_a_wrong_family_file_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    old, new, line, words = WRONG_FAMILIES[case]
    assert old in FAMILY
    file = tmp_path / "families" / "invented.yml"
    file.parent.mkdir()
    file.write_text(FAMILY.replace(old, new), encoding="utf-8")
    with pytest.raises(PlaybookError) as raised:
        load_families(tmp_path)
    assert words in raised.value.message
    assert (raised.value.file, raised.value.line) == (str(file), line)


def test_two_families_cannot_claim_one_system(tmp_path: Path) -> None:
    (tmp_path / "families").mkdir()
    for name in "one", "two":
        (tmp_path / "families" / f"{name}.yml").write_text(FAMILY, encoding="utf-8")
    with pytest.raises(PlaybookError, match="`invented` belongs to"):
        load_families(tmp_path)
