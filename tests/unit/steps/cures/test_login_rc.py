"""~/.ssh/rc with our lines: the cookie reaches xauth, by whatever shell sshd's /bin/sh is."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.cures.ground import needs, planned, run, there, write
from x11fwd.facts.model import XauthFacts
from x11fwd.steps.cures.login_rc import take_cookie

if TYPE_CHECKING:
    from pathlib import Path


def cured(home: Path, text: str) -> Path:
    (home / ".ssh").mkdir()
    path = home / ".ssh/rc"
    path.write_text(text, encoding="utf-8")
    folder = home / "with space"
    folder.mkdir()
    xauth = folder / "xauth"
    xauth.write_text(f'#!/bin/sh\necho "$@" >"{home}/said"\ncat >>"{home}/said"\n', encoding="utf-8")
    xauth.chmod(0o755)
    ground = planned(there(home, ssh_rc=str(path), xauth=XauthFacts(str(xauth))), take_cookie)
    write(ground)
    assert planned(there(home, ssh_rc=str(path)), take_cookie).changes() == ()
    return path


@pytest.mark.parametrize(
    "shell", [("dash",), ("bash", "--posix"), ("busybox", "sh"), ("ksh",)], ids=lambda s: s[0]
)
@pytest.mark.parametrize(("display", "name"), [("localhost:11.0", "unix:11.0"), ("gpu1:10.0", "gpu1:10.0")])
def test_the_cookie_reaches_xauth(shell: tuple[str, ...], display: str, name: str, tmp_path: Path) -> None:
    needs(shell[0])
    path = cured(tmp_path, '#!/bin/sh\nset -eu\ncat >"$HOME/rest"\necho done >>"$HOME/rest"')
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n# BEGIN x11fwd cookie ")
    run(*shell, "-n", str(path))
    done = subprocess.run(
        [*shell, str(path)],
        input=b"MIT-MAGIC-COOKIE-1 0123abcd\n",
        env={"PATH": "/usr/bin:/bin", "DISPLAY": display, "HOME": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == b""
    assert (tmp_path / "said").read_text() == f"-q -\nadd {name} MIT-MAGIC-COOKIE-1 0123abcd\n"
    assert (tmp_path / "rest").read_text() == "done\n"


def test_without_x11_the_rest_is_as_before(tmp_path: Path) -> None:
    path = cured(tmp_path, 'cat >"$HOME/rest"\n')
    subprocess.run(
        ["sh", str(path)], input=b"words\n", env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, check=True
    )
    assert (tmp_path / "rest").read_text() == "words\n"
    assert not (tmp_path / "said").exists()


def test_the_administrators_file_is_left_alone(tmp_path: Path) -> None:
    assert planned(there(tmp_path, ssh_rc="/etc/ssh/sshrc"), take_cookie).changes() == ()
