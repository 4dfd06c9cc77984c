"""Facts in, plan out: one golden text per host that somebody has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.golden import assert_golden
from tests.unit.steps.remotes import (
    DEBIAN_MAIN,
    DROP_INS,
    MAIN,
    RC,
    bare,
    planned,
    ready,
    shown,
    with_matplotlib,
    with_python,
    with_sshd,
    without_rights,
)
from x11fwd.facts.model import (
    MatplotlibFacts,
    PackageManager,
    PythonKind,
    SettingSource,
    SystemFacts,
    Unknown,
)
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.steps.plan import Plan


def venv(kind: PythonKind = PythonKind.VENV, base: str = "/usr", **changes: object) -> dict[str, object]:
    return {
        "path": "/home/ana/env/bin/python",
        "executable": "/home/ana/env/bin/python",
        "prefix": "/home/ana/env",
        "base_prefix": base,
        "kind": kind,
        "has_pip": True,
        **changes,
    }


EXHERBO = SystemFacts("Linux", os_id="exherbo", pretty_name="Exherbo Linux", init="systemd")
UBUNTU = SystemFacts("Linux", os_id="ubuntu", os_like=("debian",), version_id="20.04", init="systemd")
MINT = SystemFacts("Linux", os_id="lmde", os_like=("debian",), version_id="6", init="systemd")
NEEDS_ROOT = Unknown("reading /etc/ssh/sshd_config needs root")
READY_QT = with_python(
    with_matplotlib(ready(), rc_file=RC, rc_backend=None, user_rc_text="figure.dpi: 120\n"), qt=None
)

CASES: dict[str, Callable[[], Plan]] = {
    "bare-11": lambda: planned(bare("11")),
    "bare-12": lambda: planned(bare("12")),
    "bare-13": lambda: planned(bare("13")),
    "bare-11-qt": lambda: planned(bare("11"), "qt"),
    "bare-12-qt": lambda: planned(bare("12"), "qt"),
    "bare-13-qt": lambda: planned(bare("13"), "qt"),
    "bare-12-only-me": lambda: planned(bare("12"), only_me=True),
    "bare-12-custom-sshd": lambda: planned(
        with_sshd(bare(), {"/srv/sshd/config": "Port 2222\n"}), sshd_config="/srv/sshd/config"
    ),
    "bare-12-custom-sshd-not-probed": lambda: planned(
        bare(), sshd_config="/srv/sshd/config", files={"/srv/sshd/config": b"Port 2222\n"}
    ),
    "bare-12-custom-sshd-unreadable": lambda: planned(
        bare(), sshd_config="/srv/sshd/config", files={"/srv/sshd/config": NEEDS_ROOT}
    ),
    "bare-12-no-rights": lambda: planned(without_rights(bare("12"))),
    "bare-12-some-packages": lambda: planned(bare("12"), installed=("python3-matplotlib",)),
    "bare-ubuntu-focal-qt": lambda: planned(replace(bare("12"), system=UBUNTU), "qt"),
    "bare-like-debian": lambda: planned(replace(bare("12"), system=MINT)),
    "ready": lambda: planned(ready()),
    "ready-qt-wished": lambda: planned(with_python(ready(), qt="PyQt5 5.15.9"), "qt"),
    "ready-tk-backend-qt-wished": lambda: planned(ready(), backend="qtagg"),
    "venv": lambda: planned(with_python(ready(), **venv(matplotlib=MatplotlibFacts(None), tkinter=None))),
    "venv-without-pip": lambda: planned(
        with_python(ready(), **venv(matplotlib=MatplotlibFacts(None), has_pip=False))
    ),
    "venv-qt": lambda: planned(
        with_python(ready("13"), **venv(matplotlib=MatplotlibFacts(None))),
        "qt",
        installed=("libegl1", "libgl1"),
    ),
    "venv-of-pyenv-without-tk": lambda: planned(
        with_python(
            ready(),
            **venv(base="/home/ana/.pyenv/versions/3.12.1", tkinter=None, matplotlib=MatplotlibFacts(None)),
        )
    ),
    "uv-without-tk": lambda: planned(
        with_python(
            ready(),
            **venv(PythonKind.UV, "/home/ana/.local/share/uv/python/x", tkinter=None, version="3.12.1"),
        )
    ),
    "conda": lambda: planned(
        with_python(
            ready(),
            **venv(
                PythonKind.CONDA,
                "/home/ana/env",
                tkinter=None,
                matplotlib=MatplotlibFacts(None),
                tool="/opt/conda/bin/conda",
            ),
        )
    ),
    "externally-managed-uv": lambda: planned(
        with_python(ready(), **venv(PythonKind.UV, externally_managed=True, matplotlib=MatplotlibFacts(None)))
    ),
    "other-python": lambda: planned(
        with_python(
            ready(), **venv(PythonKind.OTHER, path="/usr/local/bin/python3", matplotlib=MatplotlibFacts(None))
        )
    ),
    "no-python": lambda: planned(replace(bare(), pythons=())),
    "tk-package-of-another-python": lambda: planned(
        with_python(ready(), path="/usr/bin/python3.12", tkinter=None), installed=("python3-tk",)
    ),
    "python-not-asked": lambda: planned(
        with_python(ready(), tkinter=Unknown("it hung"), matplotlib=Unknown("it hung"))
    ),
    "matplotlib-broken": lambda: planned(with_matplotlib(ready(), problem="ImportError: numpy.core failed")),
    "tk-missing-no-rights": lambda: planned(
        without_rights(with_matplotlib(with_python(ready("13"), tkinter=None), rc_backend=None))
    ),
    "unknown-system": lambda: planned(
        replace(bare(), system=EXHERBO, package_manager=PackageManager("dnf", "/usr/bin/dnf"))
    ),
    "no-package-manager": lambda: planned(replace(bare(), package_manager=None)),
    "mplbackend": lambda: planned(
        replace(ready(), login_environment=MappingProxyType({"MPLBACKEND": "Agg"}))
    ),
    "matplotlibrc-of-variable": lambda: planned(
        replace(
            with_matplotlib(ready(), rc_file="/home/ana/plots/rc", rc_backend=None),
            login_environment=MappingProxyType({"MATPLOTLIBRC": "/home/ana/plots/rc"}),
        ),
        files={"/home/ana/plots/rc": b"backend: Agg\n"},
    ),
    "matplotlibrc-of-foreign-variable": lambda: planned(
        replace(
            with_matplotlib(ready(), rc_file="/opt/site/rc", rc_backend=None),
            login_environment=MappingProxyType({"MATPLOTLIBRC": "/opt/site/rc"}),
        )
    ),
    "matplotlibrc-in-home": lambda: planned(
        with_matplotlib(
            ready("13"),
            rc_file="/home/ana/matplotlibrc",
            rc_backend=SettingSource("/home/ana/matplotlibrc", 1, text="backend: Agg"),
        ),
        files={"/etc/matplotlibrc": b"##backend: Agg\nfigure.dpi: 200\n"},
    ),
    "matplotlibrc-unreadable": lambda: planned(
        with_matplotlib(ready("13"), rc_backend=None, user_rc_text=Unknown("permission denied")),
        files={RC: Unknown("reading it needs more rights")},
    ),
    "matplotlib-made-a-folder-up": lambda: planned(
        with_matplotlib(ready("13"), rc_backend=None, user_rc="/tmp/matplotlib-x1y2/matplotlibrc")
    ),
    "home-read-only": lambda: planned(
        replace(
            with_matplotlib(ready("13"), rc_backend=None),
            home=replace(ready().home, writable=False, problem="Read-only file system"),
        )
    ),
    "sshd-foreign-drop-in": lambda: planned(
        with_sshd(bare(), {f"{DROP_INS}/00-a.conf": "X11Forwarding no\n"})
    ),
    "sshd-match-group": lambda: planned(
        replace(
            with_sshd(bare(), {MAIN: DEBIAN_MAIN + "Match Group sftp\n    X11Forwarding no\n"}),
            groups=("ana", "sftp"),
        )
    ),
    "sshd-match-group-of-others": lambda: planned(
        with_sshd(bare(), {MAIN: DEBIAN_MAIN + "Match Group sftp\n    X11Forwarding no\n"})
    ),
    "sshd-no-include": lambda: planned(
        with_sshd(bare(), {MAIN: "Port 22\nX11Forwarding no\nMatch User bob\n    X11Forwarding no\n"})
    ),
    "sshd-no-include-only-me": lambda: planned(
        with_sshd(
            bare(),
            {MAIN: "Port 22\nPasswordAuthentication no\nMatch User bob\n    PasswordAuthentication yes\n"},
        ),
        only_me=True,
    ),
    "sshd-include-too-late": lambda: planned(
        with_sshd(bare(), {MAIN: "X11Forwarding no\nInclude /etc/ssh/sshd_config.d/*.conf\n"})
    ),
    "sshd-disableforwarding": lambda: planned(
        with_sshd(
            bare(),
            {MAIN: "DisableForwarding yes\n" + DEBIAN_MAIN},
            effective=MappingProxyType({"x11forwarding": "yes", "disableforwarding": "yes"}),
        )
    ),
    "sshd-xauthlocation": lambda: planned(
        with_sshd(
            replace(ready(), x11=X11Outcome(True, False, ("No xauth program; cannot forward X11.",))),
            effective=MappingProxyType({"x11forwarding": "yes", "xauthlocation": "/usr/X11R6/bin/xauth"}),
            xauth_found=False,
        )
    ),
    "sshd-older-than-its-files": lambda: planned(replace(ready(), x11=X11Outcome(True, False))),
    "sshd-key-forbids": lambda: planned(
        replace(ready(), x11=X11Outcome(True, False, ("X11 forwarding disabled by key options.",)))
    ),
    # every key's options are listed before the refusal (auth-options.c), also where they allow everything
    "sshd-key-allows-and-xauth-is-missing": lambda: planned(
        replace(
            ready(),
            x11=X11Outcome(
                True,
                False,
                (
                    "/home/ana/.ssh/authorized_keys:1: key options: pty user-rc x11-forwarding",
                    "No xauth program; cannot forward X11.",
                ),
            ),
        )
    ),
    "sshd-unreadable-granted": lambda: planned(
        replace(ready(), sshd=replace(ready().sshd, files=NEEDS_ROOT, effective=NEEDS_ROOT, include_dirs=()))
    ),
    "sshd-unreadable-refused": lambda: planned(
        replace(
            ready(),
            sshd=replace(ready().sshd, files=NEEDS_ROOT, effective=NEEDS_ROOT, include_dirs=()),
            x11=X11Outcome(True, False),
        )
    ),
    "sshd-unreadable-only-xauth-missing": lambda: planned(
        replace(
            ready(),
            sshd=replace(ready().sshd, files=NEEDS_ROOT, effective=NEEDS_ROOT, include_dirs=()),
            x11=X11Outcome(True, False, ("No xauth program; cannot forward X11.",)),
        )
    ),
    "sshd-unreadable-not-asked": lambda: planned(
        replace(
            ready(),
            sshd=replace(ready().sshd, files=NEEDS_ROOT, effective=NEEDS_ROOT, include_dirs=()),
            x11=X11Outcome(),
        )
    ),
    "sshd-each-login-its-own": lambda: planned(
        with_sshd(bare("11"), service=("socket", "ssh.socket"), socket_unit="ssh.socket")
    ),
    "sshd-broken": lambda: planned(
        with_sshd(
            bare(),
            {f"{DROP_INS}/50-x.conf": "X11Forwarding maybe\n"},
            effective=Unknown("sshd does not accept its configuration"),
            problem='/etc/ssh/sshd_config.d/50-x.conf line 1: unsupported option "maybe".',
        )
    ),
    "sshd-pending": lambda: planned(with_sshd(bare(), pending=True)),
    "sshd-not-openssh": lambda: planned(replace(bare(), sshd=replace(bare().sshd, binary=None))),
}


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_the_golden_one(case: str) -> None:
    assert_golden(Path(__file__).parent, f"{case}.txt", shown(CASES[case]()))


def test_every_golden_plan_has_its_case() -> None:
    plans = {file.stem for file in (Path(__file__).parent / "golden").glob("*.txt")}
    assert plans - {"admin-note"} == set(CASES)
