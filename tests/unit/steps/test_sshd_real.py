"""A real sshd says whether our lines decide, and whether anything else has changed for anybody."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.remotes import bare, planned
from x11fwd.facts.sshd_config import parse_sshd_t
from x11fwd.steps.plan import ChangeSshd

if TYPE_CHECKING:
    from x11fwd.facts.model import SshdFacts

pytestmark = pytest.mark.hosts

USER, OTHER = "games", "nobody"  # accounts that every Debian has, each in a group of its own
MAINS = {
    "debian": "Include {dir}/*.conf\nX11Forwarding no\nPasswordAuthentication no\n",
    "no include": "Port 22\nX11Forwarding no\nPasswordAuthentication no\n",
    "silent": "Include {dir}/*.conf\nPasswordAuthentication no\n",
    "empty": "",
    "include too late": "X11Forwarding no\nInclude {dir}/*.conf\nPasswordAuthentication no\n",
    "two includes": "Include {dir}/10-no.conf\nInclude {dir}/*.conf\nPasswordAuthentication no\n",
}
TAILS = {
    "plain": "",
    "others": f"Match User {OTHER}\n  PasswordAuthentication yes\n",
    "mine": f"Match User {USER}\n  X11Forwarding no\n  PasswordAuthentication yes\n",
    "my group": f"Match Group {USER}\n  X11Forwarding no\n",
    "address": "Match Address 203.0.113.0/24\n  X11Forwarding no\nMatch all\nBanner none\n",
    "nobody's": f"Match User {OTHER}\n  X11Forwarding no\nMatch Host *.example.org\n  X11Forwarding no\n",
    "include inside": f"Match User {OTHER}\nInclude {{dir}}/*.conf\n",
}
DROP_INS: dict[str, dict[str, str]] = {
    "none": {},
    "no": {"10-no.conf": "X11Forwarding no\n"},
    "first": {"00-a.conf": "X11Forwarding no\n", "99-z.conf": "X11Forwarding yes\n"},
    "match": {"50-m.conf": f"PasswordAuthentication yes\nMatch User {USER},x*\n  X11Forwarding no\n"},
    "early match": {"00-.conf": "Match Address *\n  X11Forwarding no\n"},
    "ours for another": {"00-x11fwd.conf": f"Match User {OTHER}\n    X11Forwarding yes\n"},
}
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/bin") or "sshd"


@pytest.fixture(scope="module")
def host_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=120)
    return key


def effective(main: Path, key: Path, user: str) -> dict[str, str]:
    connection = f"user={user},host=203.0.113.5,addr=203.0.113.5,laddr=192.0.2.7,lport=22"
    argv = [SSHD, "-T", "-f", str(main), "-h", str(key), "-C", connection]
    return parse_sshd_t(subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout)


@pytest.mark.parametrize("only_me", [False, True], ids=["everybody", "only me"])
@pytest.mark.parametrize("main", MAINS)
def test_our_lines_decide_and_nothing_else_changes(
    main: str, *, only_me: bool, host_key: Path, tmp_path: Path
) -> None:
    # every third combination, another third with each main file: all pairs meet somewhere
    combinations = list(itertools.product(TAILS, DROP_INS))[list(MAINS).index(main) % 3 :: 3]
    for number, (tail, drop_ins) in enumerate(combinations):
        folder = tmp_path / str(number) / "sshd_config.d"
        folder.mkdir(parents=True)
        config = folder.parent / "sshd_config"
        config.write_text((MAINS[main] + TAILS[tail]).replace("{dir}", str(folder)), encoding="utf-8")
        for name, text in DROP_INS[drop_ins].items():
            (folder / name).write_text(text, encoding="utf-8")
        check(config, host_key, only_me=only_me, case=f"{main}/{tail}/{drop_ins}")


def check(config: Path, key: Path, *, only_me: bool, case: str) -> None:
    before, others = effective(config, key, USER), effective(config, key, OTHER)
    files = {
        str(file): file.read_text(encoding="utf-8")
        for file in sorted(config.parent.rglob("sshd_config*"))
        if file.is_file()
    }
    files |= {str(file): file.read_text(encoding="utf-8") for file in sorted(config.parent.rglob("*.conf"))}
    host = bare()
    sshd: SshdFacts = replace(
        host.sshd, config_file=str(config), files=MappingProxyType(files), effective=MappingProxyType(before)
    )
    host = replace(host, user=USER, groups=(USER,), sshd=sshd)
    plan = planned(host, only_me=only_me)
    changes = [change.action for change in plan.changes if isinstance(change.action, ChangeSshd)]
    if before["x11forwarding"] == "yes":
        assert not changes, case
        return
    assert len(changes) == 1, (case, plan.warnings)
    changed = changes[0].file
    Path(changed.path).write_bytes(changed.content)
    after = effective(config, key, USER)
    now = effective(config, key, OTHER)
    assert after.pop("x11forwarding") == "yes", case
    before.pop("x11forwarding")
    # -T prints the file's own options of the options that were set; XAuthLocation may have come with ours
    (
        before.pop("xauthlocation"),
        after.pop("xauthlocation"),
        others.pop("xauthlocation"),
        now.pop("xauthlocation"),
    )
    assert after == before, case
    if not only_me:
        others.pop("x11forwarding"), now.pop("x11forwarding")
    assert now == others, case
    # and the next plan has nothing to do
    sshd = replace(
        sshd,
        files=MappingProxyType({**files, changed.path: changed.content.decode()}),
        effective=MappingProxyType({**after, "x11forwarding": "yes"}),
    )
    again = planned(replace(host, sshd=sshd), only_me=only_me)
    assert not any(isinstance(change.action, ChangeSshd) for change in again.changes), case
