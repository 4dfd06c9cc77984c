"""The file of sshd's that the role writes is the one that our own engine writes, byte for byte."""

from __future__ import annotations

from base64 import b64encode
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.unit.ansible_role.templating import Role, on, said, tasks
from tests.unit.families.answers import systems
from tests.unit.steps.remotes import DEBIAN_MAIN, DROP_INS, MAIN, OFF, bare, planned, with_sshd
from x11fwd.steps.plan import ChangeSshd

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts

OURS = f"{DROP_INS}/00-x11fwd.conf"
OLD = "Port 22\nUsePAM yes\nX11Forwarding no\n"
MATCH = "Match User ben\n    X11Forwarding no\n"
BLOCK = "# BEGIN x11fwd\nX11UseLocalhost no\n# END x11fwd\n"
BLOCK_MATCH = "# BEGIN x11fwd match\nMatch User ben\n    X11Forwarding yes\nMatch all\n# END x11fwd\n"
OF_BEN = "Match User ben\n    X11Forwarding yes\n"
# name -> the main file, what our drop-in holds already
CASES: dict[str, tuple[str, str | None]] = {
    "Debian's": (DEBIAN_MAIN, None),
    "without Include, as before OpenSSH 8.2": (OLD, None),
    "without an end to its last line": (OLD.rstrip("\n"), None),
    "empty": ("", None),
    "with a Match block": (OLD + MATCH, None),
    "with a Match block and capitals": (OLD + MATCH.replace("Match User", "MATCH user"), None),
    "with nothing but a Match block": (MATCH, None),
    "with a block of ours": (BLOCK + OLD + MATCH, None),
    "with a block of ours for somebody else": (OLD + BLOCK_MATCH + MATCH, None),
    "with both blocks of ours": (BLOCK + OLD + BLOCK_MATCH, None),
    "whose own line comes before the Include": ("X11Forwarding no\n" + DEBIAN_MAIN, None),
    "with a commented Include": ("#Include /etc/ssh/sshd_config.d/*.conf\n" + OLD, None),
    "with an Include in a Match block only": (OLD + f"Match User ana\n    Include {DROP_INS}/*.conf\n", None),
    "of ours in a drop-in": (DEBIAN_MAIN, "# ours\nX11UseLocalhost no\n"),
    "of ours with a Match block": (
        DEBIAN_MAIN,
        f"# ours\nX11UseLocalhost no\n{OF_BEN}",
    ),
    "of ours for this user": (
        DEBIAN_MAIN,
        f"# ours\n{OF_BEN}Match User ana\n    Banner none\n    X11Forwarding no\n",
    ),
}


def by_us(facts: RemoteFacts, *, only_me: bool) -> tuple[str, str]:
    (action,) = [
        one.action for one in planned(facts, only_me=only_me).changes if isinstance(one.action, ChangeSshd)
    ]
    return action.file.path, action.file.content.decode()


@cache
def host() -> Role:
    return on(
        systems()["debian-12"],
        __x11fwd_sshd=said([f"{key} {value}" for key, value in OFF.items()]),
        __x11fwd_xauth={"stat": {"exists": False}},
        x11fwd_sshd_options=["X11Forwarding yes"],
    )


def by_the_role(files: dict[str, str], *, only_me: bool) -> tuple[str, str]:
    def slurped(text: str) -> dict[str, str]:
        return {"content": b64encode(text.encode()).decode()}

    role = copy(host())
    role.variables = {**role.variables, "__x11fwd_main": slurped(files[MAIN]), "x11fwd_only_me": only_me}
    for name in ("look_sshd", "sshd", "sshd_change"):
        for task in tasks("default", name):
            if task.get("register") == "__x11fwd_file":
                there = str(role["x11fwd_sshd_path"]) in files
                role.variables["__x11fwd_file"] = {"stat": {"exists": there}}
                role.variables["__x11fwd_before"] = slurped(files.get(str(role["x11fwd_sshd_path"]), ""))
            if "x11fwd_pending" not in str(task):
                role.keep(task)
    return str(role["x11fwd_sshd_path"]), str(role["x11fwd_sshd_text"])


# Lines for all do not count where a block of this user's says otherwise: our engine changes the block then,
# and the role stops at sshd's answer.
ASKED = [(name, False) for name in CASES if name != "of ours for this user"] + [
    (name, True) for name in CASES
]


@pytest.mark.parametrize(("name", "only_me"), ASKED)
def test_both_engines_write_the_same_file(name: str, *, only_me: bool) -> None:
    main, ours = CASES[name]
    files = {MAIN: main, **({OURS: ours} if ours is not None else {})}
    facts = with_sshd(bare("12"), files)
    assert by_the_role(files, only_me=only_me) == by_us(facts, only_me=only_me)
