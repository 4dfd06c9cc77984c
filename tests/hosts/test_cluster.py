"""Windows of jobs on a cluster's nodes: a second host that is reached through the first one only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.person import Person
    from tests.lab.screen import Screen

REFUSING = "X11Forwarding no\nAllowTcpForwarding yes"
# As Slurm's: the job gets the environment of who submits it, on another computer.
SRUN = """#!/bin/sh
exec ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -p 2222 ${SRUN_AS:-ana}@node1 \\
    env DISPLAY="$DISPLAY" XAUTHORITY="$XAUTHORITY" "$@"
"""
WINDOW = """
import tkinter
window = tkinter.Tk()
window.title("from " + __import__("os").uname().nodename)
window.configure(bg="#10c040", width=300, height=200)
window.after(4000, window.destroy)
window.mainloop()
"""
ASK = "import tkinter, os; print(os.environ['DISPLAY'], tkinter.Tk().winfo_screenwidth())"


@pytest.fixture(scope="module")
def login(lab: object) -> Iterator[ChrootHost]:
    files = {"/usr/local/bin/srun": SRUN, "/home/ana/window.py": WINDOW, "/home/ana/ask.py": ASK}
    setup = Setup(own_network=True, sshd_config=REFUSING, files=files)
    with ChrootHost("bookworm", "plot", setup) as host, node_of(host):
        yield host


@contextmanager
def node_of(host: ChrootHost) -> Iterator[None]:
    """A computer with a name, a network and a /tmp of its own behind this host; ana may go there."""
    host.check(["chmod", "755", "/usr/local/bin/srun"])
    host.check(["sh", "-c", "printf '10.77.0.1 %s\\n10.77.0.2 node1\\n' \"$(hostname)\" >>/etc/hosts"])
    key = "cd .ssh && ssh-keygen -q -t ed25519 -N '' -f id_ed25519 && cat id_ed25519.pub >>authorized_keys"
    host.check(["su", "-", "ana", "-c", key])
    start = """
    hostname node1
    mount -t tmpfs -o mode=1777 tmp /tmp
    echo $$ >/run/node1.pid
    until ip address add 10.77.0.2/30 dev eth0 2>/dev/null; do sleep 0.05; done
    ip link set lo up; ip link set eth0 up
    exec /usr/sbin/sshd -D -o Port=2222 -o ListenAddress=10.77.0.2 -o PidFile=none -E /var/log/node1.log
    """
    node = host.popen(["unshare", "--net", "--uts", "--mount", "sh", "-c", start])
    try:
        pid = host.root / "run/node1.pid"
        wait_for(lambda: pid.exists() and pid.read_text().strip() != "", limit=30, what="the node")
        number = pid.read_text().strip()
        host.check(["sh", "-ec", f"ip link add node1 type veth peer name eth0 netns /proc/{number}/ns/net"])
        host.check(["sh", "-ec", "ip address add 10.77.0.1/30 dev node1; ip link set node1 up"])
        ready = ["sh", "-c", "ssh-keyscan -T 2 -p 2222 node1 2>/dev/null | grep -q ."]
        wait_for(lambda: host.run(ready).rc == 0, limit=60, what="the node's sshd", every=0.2)
        yield
    finally:
        node.kill()


@pytest.fixture
def cluster(login: ChrootHost, person: Person) -> str:
    return person.alias("login", login, user="ana")


def green(screen: Screen, folder: Path) -> int:
    """How many pixels of the screen are the window's."""
    from matplotlib.image import imread

    picture = imread(screen.screenshot(folder / "screen.png"))
    wanted = (0x10 / 255, 0xC0 / 255, 0x40 / 255)
    return int((abs(picture[..., :3] - wanted) < 0.01).all(axis=-1).sum())


def test_a_window_of_a_job_on_a_node_opens_here(
    person: Person, cluster: str, screen: Screen, tmp_path: Path
) -> None:
    person.use_screen(screen)
    job = person.popen(person.x11fwd("ssh", "--nodes", cluster, "--", "srun", "python3", "window.py"))
    try:
        wait_for(lambda: "from node1" in screen.windows(), limit=60, what="the window", every=0.2)
        wait_for(lambda: green(screen, tmp_path) > 50_000, limit=20, what="its pixels", every=0.2)
    finally:
        _, err = job.communicate(timeout=60)
        assert job.returncode == 0, err


def test_the_display_has_the_login_nodes_name_and_nothing_of_it_stays(
    person: Person, cluster: str, login: ChrootHost
) -> None:
    ran = person.run(person.x11fwd("ssh", "--nodes", cluster, "srun python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert ran.stdout.startswith(f"{login.hostname}:"), ran.stdout
    left = "ls ~/.cache/x11fwd | grep authority; ss -Hltn | grep -v ':22$' | grep ':60'; true"
    wait_for(lambda: login.run(["su", "ana", "-c", left]).stdout == "", limit=30, what="the display's end")


def test_who_has_not_the_cookie_is_refused(person: Person, cluster: str) -> None:
    command = "srun env XAUTHORITY=/dev/null python3 ask.py"
    ran = person.run(person.x11fwd("ssh", "--nodes", cluster, command), timeout=60)
    assert ran.rc != 0
    assert "no cookie shown" in ran.stderr or "couldn't connect to display" in ran.stderr, ran.stderr


def test_unasked_the_display_is_for_the_login_node_only(person: Person, cluster: str) -> None:
    here = person.run(person.x11fwd("ssh", "--via", "bridge", cluster, "python3 ask.py"), timeout=60)
    assert here.rc == 0, here.stderr
    ran = person.run(person.x11fwd("ssh", "--via", "bridge", cluster, "srun python3 ask.py"), timeout=60)
    assert ran.rc != 0
    assert "couldn't connect to display" in ran.stderr, ran.stderr


def test_the_settings_may_say_so_for_a_host(person: Person, cluster: str) -> None:
    person.write(".config/x11fwd/config", "Host login\n  ComputeNodes 10.77.0.1\n")
    ran = person.run(person.x11fwd("ssh", "-v", cluster, "srun python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert ran.stdout.startswith("10.77.0.1:"), ran.stdout
    assert "config:2 lets other computers of the cluster in" in ran.stderr


def test_a_node_that_lets_one_in_is_reached_through_the_login_node(person: Person, cluster: str) -> None:
    """`-J`, where the site allows a login to the node of one's own job (pam_slurm_adopt)."""
    more = ("-J", cluster, "-o", "StrictHostKeyChecking=no", "-p", "2222", "ana@node1")
    ran = person.run(person.x11fwd("ssh", "--via", "bridge", *more, "hostname; python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert ran.stdout.startswith("node1\nlocalhost:"), ran.stdout
