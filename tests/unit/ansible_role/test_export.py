"""Every playbook becomes a whole Ansible playbook; a folder of others' is left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

from tests.unit.golden import assert_golden
from x11fwd.ansible import role_files, write_folder
from x11fwd.ansible.expressions import FACTS, condition
from x11fwd.ansible.expressions import text as in_jinja
from x11fwd.ansible.folder import LIST
from x11fwd.ansible.yaml_text import Value, document
from x11fwd.errors import PlaybookError, UsageError
from x11fwd.playbook import Condition, Operator, load_families, load_playbook, playbook_names
from x11fwd.playbook.conditions import FACTS as OURS
from x11fwd.steps.script import engine_text

HERE = Path(__file__).parent
ROLE = "roles/x11fwd"


@pytest.fixture(scope="module")
def exported() -> dict[str, dict[str, str]]:
    families = load_families()
    return {name: role_files(load_playbook(name), families) for name in playbook_names()}


def test_every_shipped_playbook_is_exported_as_yaml_that_parses(exported: dict[str, dict[str, str]]) -> None:
    assert {"default", "qt"} <= set(exported)
    for name, files in exported.items():
        for path, text in files.items():
            if path.endswith(".yml"):
                assert text.startswith("---\n"), path
                assert yaml.safe_load(text) is not None, f"{name}: {path}"
        steps = yaml.safe_load(files[f"{ROLE}/tasks/main.yml"])
        assert [task["name"] for task in steps if task["name"].startswith("Step ")] == [
            f"Step {number}, {step.head.name}" for number, step in enumerate(load_playbook(name).steps, 1)
        ]


def test_every_family_has_its_variables_and_each_file_the_same_ones(
    exported: dict[str, dict[str, str]],
) -> None:
    families = load_families()
    for files in exported.values():
        kept = {path for path in files if "/vars/families/" in path}
        names = {family.name for family in families.members} | {"unknown"}
        assert kept == {f"{ROLE}/vars/families/{name}.yml" for name in names}
        assert len({frozenset(yaml.safe_load(files[path])) for path in kept}) == 1
        known = yaml.safe_load(files[f"{ROLE}/vars/main/playbook.yml"])["x11fwd_family_of"]
        assert known["debian"] == "debian"
        assert set(known) == {word for family in families.members for word in family.ids}


def test_every_task_has_its_full_name_and_sshd_is_reloaded_only(exported: dict[str, dict[str, str]]) -> None:
    plain = {"name", "when", "vars", "tags", "register", "become", "notify", "listen", "block", "rescue"}
    plain |= {"always", "changed_when", "failed_when", "check_mode", "environment", "loop"}
    plain |= {"until", "retries", "delay"}
    for path, text in exported["default"].items():
        if not re.search(r"/(?:tasks|handlers)/", path):
            continue
        assert "state: restarted" not in text, path
        waiting = list(yaml.safe_load(text))
        while waiting:
            task = waiting.pop()
            waiting += task.get("block", []) + task.get("rescue", []) + task.get("always", [])
            modules = set(task) - plain
            assert all(module.startswith("ansible.builtin.") for module in modules), (path, task)
            assert len(modules) == (0 if "block" in task else 1), (path, task)


def test_what_is_rescued_fails_all_the_same(exported: dict[str, dict[str, str]]) -> None:
    """`setup --engine ansible` takes the first failure for the host's end."""
    rescued = 0
    for path, text in exported["default"].items():
        assert "ignore_errors" not in text, path
        if "/tasks/" not in path:
            continue
        for task in yaml.safe_load(text):
            if "rescue" in task:
                rescued += 1
                last = task["rescue"][-1]
                assert "ansible.builtin.fail" in last, path
                assert "when" not in last, path
    assert rescued


def test_the_role_carries_the_engine_that_x11fwd_sends_itself(exported: dict[str, dict[str, str]]) -> None:
    assert exported["default"][f"{ROLE}/files/engine.sh"] == engine_text()


def test_the_default_playbook_reads_as_it_was_accepted(exported: dict[str, dict[str, str]]) -> None:
    files = exported["default"]
    listing = "\n".join(path for path in files if "/vars/families/" not in path)
    parts = [f"# {path}\n{files[path]}" for path in ("x11fwd.yml", f"{ROLE}/tasks/main.yml", "README.md")]
    assert_golden(HERE, "default.txt", "\n".join([listing, "", *parts]))


def test_every_fact_but_the_answer_to_a_login_with_x11_can_be_asked(
    exported: dict[str, dict[str, str]],
) -> None:
    assert set(OURS) - set(FACTS) == {"x11.granted"}
    seen = yaml.safe_load(exported["default"][f"{ROLE}/vars/main/seen.yml"])
    for expression in FACTS.values():
        name = re.split(r"[.\[]", expression)[0]
        assert name == "ansible_facts" or name in seen, expression
    with pytest.raises(PlaybookError, match=r"some.yml:7: `x11.granted is yes` cannot be asked by Ansible"):
        condition(Condition("x11.granted", Operator.IS, "yes", "some.yml", 7))


@pytest.mark.parametrize(
    ("fact", "operator", "value", "expression"),
    [
        ("python.kind", Operator.IS, "venv", "(x11fwd_python_kind | lower) == 'venv'"),
        ("python.kind", Operator.IS_NOT, "present", "x11fwd_python_kind == ''"),
        ("xauth.path", Operator.IS, "missing", "x11fwd_look.xauth == ''"),
        (
            "system.version",
            Operator.LESS,
            "13",
            "(x11fwd_os_version != '' and x11fwd_os_version is version('13', '<'))",
        ),
        (
            "sshd.effective.usepam",
            Operator.IS,
            "yes",
            "((x11fwd_effective['usepam'] | default('')) | lower) == 'yes'",
        ),
    ],
)
def test_a_condition_is_an_expression(fact: str, operator: Operator, value: str, expression: str) -> None:
    assert condition(Condition(fact, operator, value)) == expression


@pytest.mark.parametrize("word", ["plain", "the platform's", 'say "x"', 'it\'s "q"', "''", "'"])
def test_a_string_in_jinja_needs_no_escaped_quote(word: str) -> None:
    """Ansible before 2.19 doubles the backslash in front of one."""
    assert "\\" not in in_jinja(word)
    found: object = NativeEnvironment().from_string(f"{{{{ [{in_jinja(word)}] }}}}").render()
    assert found == [word]


TEXTS = [
    *(
        "",
        "yes",
        "Yes",
        "0644",
        "1.5",
        "a: b",
        "# no",
        "- x",
        "two\nlines\n",
        "seen\n",
        'it\'s "q" \\n',
        "é…",
    ),
    *("a " * 90, "x" * 300, "word " * 40 + "end", "  double  blanks " * 20, "{{ x }}", "null", "~"),
    *("@at", "`tick`", "*a", "%p"),
]


@pytest.mark.parametrize("word", TEXTS)
def test_any_text_comes_back_out_of_the_yaml(word: str) -> None:
    value: Value = {
        "key": word,
        "list": [word, word],
        "deep": [{"a": word, "b": [[word]]}],
        "flag": True,
        "n": 3,
    }
    assert yaml.safe_load(document(value)) == value


# --- the folder


def test_a_folder_is_written_once_and_again_only_for_something_else(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert write_folder(folder, {"x.yml": "1\n", "r/y": "2\n"})
    assert not write_folder(folder, {"x.yml": "1\n", "r/y": "2\n"})
    assert write_folder(folder, {"x.yml": "3\n"})
    assert sorted(path.name for path in folder.rglob("*")) == [LIST, "x.yml"]
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")], ids=repr)
@pytest.mark.parametrize("renamed", [0, 1])
def test_an_end_between_the_two_renames_loses_nothing(
    renamed: int, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "role"
    write_folder(folder, {"x.yml": "1\n"})
    rename, left = Path.rename, [renamed]

    def ends(self: Path, target: Path) -> Path:
        if left and not left[0]:
            left.clear()
            raise error
        if left:
            left[0] -= 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", ends)
    with pytest.raises((KeyboardInterrupt, UsageError)):
        write_folder(folder, {"x.yml": "2\n"})
    assert (folder / "x.yml").read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["role"]


@pytest.mark.parametrize("name", ["notes.txt", "r/new", ".git/config"])
def test_a_folder_with_a_file_of_others_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "role"
    write_folder(folder, {"x.yml": "1\n"})
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(UsageError, match=f"holds {name}, which is not of an export"):
        write_folder(folder, {"x.yml": "2\n"})
    assert (folder / "x.yml").read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["role"]


def test_an_export_that_was_changed_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "role"
    write_folder(folder, {"x.yml": "1\n"})
    (folder / "x.yml").write_text("mine\n")
    with pytest.raises(UsageError, match="was changed since it was exported"):
        write_folder(folder, {"x.yml": "2\n"})
    assert (folder / "x.yml").read_text() == "mine\n"


def test_a_folder_that_was_never_an_export_is_left_alone_and_an_empty_one_is_filled(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/site.yml").write_text("mine\n")
    with pytest.raises(UsageError, match=r"holds site.yml"):
        write_folder(tmp_path / "theirs", {"x.yml": "2\n"})
    (tmp_path / "empty").mkdir()
    assert write_folder(tmp_path / "empty", {"x.yml": "2\n"})
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        write_folder(tmp_path / "file", {"x.yml": "2\n"})


def test_a_write_that_fails_leaves_the_old_folder_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "role"
    write_folder(folder, {"x.yml": "1\n"})
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if Path(target) == folder and "old" not in self.parent.name:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        write_folder(folder, {"x.yml": "2\n"})
    assert (folder / "x.yml").read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["role"]
