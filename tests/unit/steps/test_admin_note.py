"""The note for somebody who has the rights we lack."""

from __future__ import annotations

from pathlib import Path

from tests.unit.golden import assert_golden
from tests.unit.steps.remotes import bare, planned, ready, with_sshd, without_rights
from x11fwd.steps.admin_note import admin_note


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
