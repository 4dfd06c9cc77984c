"""Which files belong to a project, with git and without."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import UsageError
from x11fwd.project.files import Project, find_project, list_files
from x11fwd.project.manifest import read_manifest

if TYPE_CHECKING:
    from pathlib import Path


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def whole(root: Path, script: str = "s.py") -> Project:
    return find_project(root / script, root, here=root, home=root / "nobody")


RULES = {".gitignore": "*.log\n!kept.log\n/only-top\nbuild/\n", "sub/.gitignore": "!back.log\n*.tmp\n"}
THERE = [
    "s.py",
    "a.log",
    "kept.log",
    "only-top",
    "sub/only-top",
    "build/x",
    "sub/back.log",
    "sub/b.tmp",
    "c.tmp",
]
EXPECTED = [".gitignore", "c.tmp", "kept.log", "s.py", "sub/.gitignore", "sub/back.log", "sub/only-top"]


@pytest.mark.parametrize("git", [True, False])
def test_gits_rules_hold_with_and_without_git(git: bool, tmp_path: Path) -> None:
    make(tmp_path, *THERE)
    for name, text in RULES.items():
        (tmp_path / name).write_text(text)
    if git:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert list_files(whole(tmp_path)) == EXPECTED


def test_a_script_that_is_ignored_goes_along_since_it_was_named(tmp_path: Path) -> None:
    make(tmp_path, "s.py")
    (tmp_path / ".gitignore").write_text("*.py\n")
    assert "s.py" in list_files(whole(tmp_path))


def test_what_tools_make_again_is_left_off(tmp_path: Path) -> None:
    make(tmp_path, "s.py", ".venv/lib/x.py", "__pycache__/s.pyc", "node_modules/a/b.js", ".hg/store")
    assert list_files(whole(tmp_path)) == ["s.py"]


def test_a_script_without_a_project_takes_only_the_modules_beside_it(tmp_path: Path) -> None:
    make(tmp_path, "s.py", "helper.py", "private.pdf", "sub/deep.py")
    project = find_project(tmp_path / "s.py", None, here=tmp_path, home=tmp_path / "nobody")
    assert not project.whole
    assert list_files(project) == ["helper.py", "s.py"]


def test_the_home_folder_is_never_a_project_by_itself(tmp_path: Path) -> None:
    make(tmp_path, "s.py", "requirements.txt", "secret")
    (tmp_path / ".git").mkdir()
    project = find_project(tmp_path / "s.py", None, here=tmp_path, home=tmp_path)
    assert list_files(project) == ["s.py"]


def test_the_top_of_the_repository_is_the_project_and_the_folder_stays_the_users(tmp_path: Path) -> None:
    make(tmp_path, "src/plots/s.py", "src/plots/requirements.txt", "data.csv")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    home = tmp_path.parent / "nobody"
    project = find_project(tmp_path / "src/plots/s.py", None, here=tmp_path / "src", home=home)
    assert (project.root, str(project.script), str(project.folder)) == (tmp_path, "src/plots/s.py", "src")


@pytest.mark.parametrize("name", ["none.py", "."])
def test_a_script_that_is_no_file_is_a_usage_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        find_project(tmp_path / name, None, here=tmp_path, home=tmp_path)


def test_links_that_lead_out_are_left_off_and_named(tmp_path: Path) -> None:
    make(tmp_path, "s.py", "sub/a")
    for name, link in (("in", "sub/a"), ("sub/up", "../s.py"), ("out", "../x"), ("abs", "/etc/passwd")):
        (tmp_path / name).symlink_to(link)
    manifest = read_manifest(tmp_path, list_files(whole(tmp_path)))
    assert sorted(manifest.left_off) == ["abs", "out"]
    assert {one.path: one.link for one in manifest.entries if one.link} == {
        "in": "sub/a",
        "sub/up": "../s.py",
    }


def test_a_file_that_changes_while_it_is_sent_is_noticed(tmp_path: Path) -> None:
    make(tmp_path, "s.py")
    manifest = read_manifest(tmp_path, ["s.py"])
    (tmp_path / "s.py").write_text("else")
    with pytest.raises(UsageError, match="changed while it was being sent"):
        list(manifest.chunks(manifest.contents()))


def test_an_option_behind_the_target_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        find_project(tmp_path / "--inline", None, here=tmp_path, home=tmp_path)
    assert "options stand before TARGET" in error.value.hint
