"""The note for somebody who has the rights we lack."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.unit.golden import assert_golden
from tests.unit.steps.remotes import bare, planned, ready, with_sshd, without_rights
from x11fwd.steps.admin_note import admin_note
from x11fwd.steps.plan import ChangeSshd


def test_the_note_says_who_what_why_which_lines_and_how_to_undo() -> None:
    host = without_rights(bare("12"))
    assert_golden(Path(__file__).parent, "admin-note.txt", admin_note(planned(host), host))


def test_there_is_no_note_where_nothing_is_left() -> None:
    assert admin_note(planned(ready()), ready()) == ""
    assert admin_note(planned(bare()), bare()) == ""


def test_lines_for_a_main_file_keep_a_copy_and_put_it_back() -> None:
    host = without_rights(
        with_sshd(bare(), {"/etc/ssh/sshd_config": "Port 22\nUsePAM yes\nX11Forwarding no\n"})
    )
    (change,) = [change for change in planned(host).left_to_admin if change.id.startswith("sshd")]
    assert change.admin_lines == (
        "cp -p /etc/ssh/sshd_config /etc/ssh/sshd_config.before-x11fwd",
        (
            "{ printf '%s\\n' '# BEGIN x11fwd' 'X11Forwarding yes' '# END x11fwd'; "
            "tail -n 3 /etc/ssh/sshd_config.before-x11fwd; } > /etc/ssh/sshd_config"
        ),
        "/usr/sbin/sshd -t && systemctl reload ssh.service",
    )
    assert change.admin_undo[0] == "mv /etc/ssh/sshd_config.before-x11fwd /etc/ssh/sshd_config"


@pytest.mark.parametrize("only_me", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Port 22\nX11Forwarding no\n",
        "X11Forwarding no\nMatch User bob\n  Banner 'x y'\n",
        "# it's a comment\n",
        "# BEGIN x11fwd\nX11DisplayOffset 20\n# END x11fwd\nX11Forwarding no\n",
    ],
)
def test_the_lines_typed_by_hand_make_the_file_that_the_engine_would_make(
    text: str, *, only_me: bool, tmp_path: Path
) -> None:
    file = tmp_path / "sshd_config"
    file.write_text(text, encoding="utf-8")
    host = bare()
    files = MappingProxyType({str(file): text})
    host = without_rights(replace(host, sshd=replace(host.sshd, config_file=str(file), files=files)))
    (change,) = [
        change for change in planned(host, only_me=only_me).left_to_admin if change.id.startswith("sshd")
    ]
    assert isinstance(change.action, ChangeSshd)
    script = "\n".join(change.admin_lines[:-1])
    subprocess.run(["sh", "-ec", script], check=True, timeout=120)
    assert file.read_bytes() == change.action.file.content
    subprocess.run(["sh", "-ec", change.admin_undo[0]], check=True, timeout=120)
    assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]
