"""What each init's own words say of a service: the questions of inits.yml, asked of such output.

Each program below answers as the real one does: systemctl(1) (EXIT STATUS: 3 not running, 1 not enabled);
OpenRC's rc-service and rc-update (src/rc-update/rc-update.c); sv(8); rc.subr(8) and service(8) of FreeBSD;
`herd status` as the Shepherd's manual has it (Invoking herd); `launchctl print` (113: no such service) and
`print-disabled` of macOS 12 and 15; sysvinit's scripts after the Linux Standard Base (3: not running).
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.families.answers import FAMILIES

if TYPE_CHECKING:
    from pathlib import Path

SYSTEMCTL = """case "$*" in
"--quiet is-active sshd.service") exit {active} ;; "--quiet is-enabled sshd.service") exit {enabled} ;; esac
exit 64"""
HERD = "printf '%s\\n' 'Status of ssh-daemon:' '  It is {state}.' '  It is {enabled}.'"
# (init, state) -> service, program, what it does when the service is in that state, and when it is not
WORDS = {
    ("systemd", "started"): (
        "sshd.service",
        "systemctl",
        SYSTEMCTL.format(active=0, enabled=1),
        SYSTEMCTL.format(active=3, enabled=0),
    ),
    ("systemd", "enabled"): (
        "sshd.service",
        "systemctl",
        SYSTEMCTL.format(active=3, enabled=0),
        SYSTEMCTL.format(active=0, enabled=1),
    ),
    ("openrc", "started"): (
        "sshd",
        "rc-service",
        "echo ' * status: started'",
        "echo ' * status: stopped'; exit 3",
    ),
    ("openrc", "enabled"): (
        "sshd",
        "rc-update",
        "printf '%s\\n' '              crond | default' '               sshd | default'",
        "printf '%s\\n' '              crond | default' '         sshd-other | default'",
    ),
    ("sysvinit", "started"): (
        "ssh",
        "service",
        "echo 'sshd is running.'",
        "echo 'sshd is not running ... failed!'; exit 3",
    ),
    ("runit", "started"): (
        "sshd",
        "sv",
        "echo 'run: sshd: (pid 812) 4096s'",
        "echo 'down: sshd: 3s, normally up'",
    ),
    ("rc", "started"): (
        "sshd",
        "service",
        '[ "$*" = "sshd onestatus" ] && echo "sshd is running as pid 812."',
        'echo "sshd is not running."; exit 1',
    ),
    ("rc", "enabled"): ("sshd", "service", '[ "$*" = "sshd enabled" ]', "exit 1"),
    ("shepherd", "started"): (
        "ssh-daemon",
        "herd",
        HERD.format(state="running since 09:12:05 (2 hours ago)", enabled="enabled"),
        HERD.format(state="stopped", enabled="enabled"),
    ),
    ("shepherd", "enabled"): (
        "ssh-daemon",
        "herd",
        HERD.format(state="stopped", enabled="enabled"),
        HERD.format(state="running since 09:12:05", enabled="disabled"),
    ),
    ("launchd", "started"): (
        "com.openssh.sshd",
        "launchctl",
        '[ "$*" = "print system/com.openssh.sshd" ] && echo "system/com.openssh.sshd = {"',
        'echo "Could not find service in domain for system" >&2; exit 113',
    ),
    ("launchd", "enabled"): (
        "com.openssh.sshd",
        "launchctl",
        "printf '\\tdisabled services = {\\n\\t\\t\"com.openssh.sshd\" => enabled\\n\\t}\\n'",
        "printf '\\tdisabled services = {\\n\\t\\t\"com.openssh.sshd\" => disabled\\n\\t}\\n'",
    ),
    ("launchd of macOS 12", "enabled"): (
        "com.openssh.sshd",
        "launchctl",
        'printf \'\\t"com.openssh.sshd" => false\\n\\t"com.apple.ftpd" => true\\n\'',
        "printf '\\t\"com.openssh.sshd\" => true\\n'",
    ),
}
# asked of files: sysvinit's links, runit's folder
FILES = {
    ("sysvinit", "enabled"): ("ssh", "/etc/rc2.d", "S02ssh"),
    ("runit", "enabled"): ("sshd", "/var/service", "sshd"),
}


def holds(argv: tuple[str, ...], service: str, path: str, folder: tuple[str, str] = ("", "")) -> bool:
    words = [word.replace("{service}", service) for word in argv]
    words = [word.replace(folder[0], folder[1]) if folder[0] else word for word in words]
    return (
        subprocess.run(words, env={"PATH": path}, capture_output=True, timeout=30, check=False).returncode
        == 0
    )


@pytest.mark.parametrize("case", WORDS, ids=" ".join)
def test_an_inits_words_are_understood(case: tuple[str, str], tmp_path: Path) -> None:
    service, program, yes, no = WORDS[case]
    check = FAMILIES.states[case[0].partition(" ")[0], case[1]].check
    path = f"{tmp_path}:{os.environ['PATH']}"
    for script, expected in ((yes, True), (no, False)):
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / program).chmod(0o755)
        assert holds(check, service, path) is expected, script


@pytest.mark.parametrize("case", FILES, ids=" ".join)
def test_an_inits_files_are_understood(case: tuple[str, str], tmp_path: Path) -> None:
    service, folder, name = FILES[case]
    check = FAMILIES.states[case].check
    path = os.environ["PATH"]
    assert not holds(check, service, path, (folder, str(tmp_path)))
    (tmp_path / name).touch()
    assert holds(check, service, path, (folder, str(tmp_path)))


def test_every_state_that_can_be_asked_about_is_asked_here() -> None:
    asked = {(init.partition(" ")[0], state) for init, state in (*WORDS, *FILES)}
    assert {case for case, commands in FAMILIES.states.items() if commands.check} == asked
