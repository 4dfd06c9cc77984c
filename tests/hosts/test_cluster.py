"""Windows of jobs on a cluster's nodes: real Slurm, and a node reached through the login host only."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.cluster import LOGIN_ADDRESS, NODE, NODE_PORT, Cluster
from tests.lab.hosts import Setup
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.host import Ran
    from tests.lab.person import Person
    from tests.lab.screen import Screen

pytestmark = pytest.mark.xdist_group("cluster")  # one cluster for all of them

# A plot that says where it is drawn, until there is a file `seen` in the home that the hosts share.
WINDOW = """
import os
import matplotlib.pyplot as plt
figure = plt.figure(figsize=(4, 3), facecolor="#10c040")
manager = figure.canvas.manager
manager.set_window_title("from " + os.uname().nodename)
def look():
    if os.path.exists("seen"):
        plt.close(figure)
timer = figure.canvas.new_timer(interval=100)
timer.add_callback(look)
timer.start()
plt.show()
"""
ASK = """
import os, tkinter
width = tkinter.Tk().winfo_screenwidth()
print(os.uname().nodename, os.environ["DISPLAY"], os.environ.get("SLURM_JOB_ID", "none"), width)
"""


@pytest.fixture(scope="module")
def cluster(lab: object) -> Iterator[Cluster]:
    files = {"/home/ana/window.py": WINDOW, "/home/ana/ask.py": ASK, "/home/ben/ask.py": ASK}
    with Cluster(Setup(x11_forwarding=True, x11fwd=True, files=files)) as found:
        yield found


@pytest.fixture
def login(cluster: Cluster, person: Person) -> str:
    return person.alias("login", cluster.login, user="ana")


@pytest.fixture
def slurm_forwards(cluster: Cluster) -> Iterator[None]:
    """Slurm's own forwarding, which a site has or has not."""
    cluster.configure("PrologFlags=X11")
    yield
    cluster.configure()


@pytest.fixture
def session(cluster: Cluster, person: Person, login: str) -> Iterator[dict[str, str]]:
    """DISPLAY and XAUTHORITY of a login with `--nodes` that lasts as long as the test."""
    command = 'echo "$DISPLAY"; echo "$XAUTHORITY"; exec cat'
    process = person.popen(person.x11fwd("ssh", "--nodes", login, command))
    assert process.stdout is not None
    display, authority = (process.stdout.readline().decode().strip() for _ in range(2))
    yield {"DISPLAY": display, "XAUTHORITY": authority}
    process.communicate(timeout=60)


def green(screen: Screen, folder: Path) -> int:
    """How many pixels of the screen are the window's."""
    from matplotlib.image import imread

    picture = imread(screen.screenshot(folder / "screen.png"))
    wanted = (0x10 / 255, 0xC0 / 255, 0x40 / 255)
    return int((abs(picture[..., :3] - wanted) < 0.01).all(axis=-1).sum())


def test_a_plot_of_a_job_on_a_node_opens_here(
    person: Person, cluster: Cluster, login: str, screen: Screen, tmp_path: Path
) -> None:
    person.use_screen(screen)
    job = person.popen(person.x11fwd("ssh", "--nodes", login, "--", "srun", "python3", "window.py"))
    try:
        wait_for(lambda: f"from {NODE}" in screen.windows(), limit=120, what="the window", every=0.2)
        wait_for(lambda: green(screen, tmp_path) > 50_000, limit=60, what="its pixels", every=0.2)
    finally:
        cluster.login.write("/home/ana/seen", "")
        _, err = job.communicate(timeout=60)
    assert job.returncode == 0, err


def test_the_display_has_the_login_nodes_name_and_nothing_of_it_stays(
    person: Person, cluster: Cluster, login: str
) -> None:
    ran = person.run(person.x11fwd("ssh", "--nodes", login, "srun python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert re.match(rf"{NODE} {cluster.login.hostname}:\d+\.0 \d+ 1280\n", ran.stdout), ran.stdout
    left = "ls ~/.cache/x11fwd | grep authority; ss -Hltn | grep -v ':22$' | grep ':60'; true"
    wait_for(
        lambda: cluster.login.run(["su", "ana", "-c", left]).stdout == "", limit=30, what="the display's end"
    )


def test_an_interactive_allocation_has_the_display_on_both_computers(
    person: Person, cluster: Cluster, login: str
) -> None:
    """`salloc` opens a shell on the login node; `srun --pty` one on the compute node."""
    here, display = cluster.login.hostname, rf"{cluster.login.hostname}:\d+\.0"
    prompt = r"ana@{}[^\n]*\$ ".format
    terminal = person.pty(person.x11fwd("ssh", "--nodes", login))

    def type_in(line: str, answer: str) -> str:
        """Only at the prompt: whatever runs before it would take the line as its input."""
        terminal.send(f"{line}\r")
        return terminal.read_until(answer, limit=60)[0]

    terminal.read_until(prompt(here), limit=60)
    granted = type_in("salloc", rf"Granted job allocation \d+(?s:.*){prompt(here)}")
    job = granted.split()[3]
    type_in("python3 ask.py", rf"{here} {display} {job} 1280(?s:.*){prompt(here)}")
    type_in("srun python3 ask.py", rf"{NODE} {display} {job} 1280(?s:.*){prompt(here)}")
    type_in("srun --pty bash", prompt(NODE))
    type_in("python3 ask.py", rf"{NODE} {display} {job} 1280(?s:.*){prompt(NODE)}")
    type_in("exit", prompt(here))
    type_in("exit", rf"Relinquishing job allocation {job}(?s:.*){prompt(here)}")
    type_in("exit", "")
    assert terminal.wait(limit=60) == 0


def test_who_has_not_the_cookie_is_refused(cluster: Cluster, session: dict[str, str]) -> None:
    """Jobs of Slurm: a program of the same person without it, and another person's with his own rights."""
    asked = {"ana": {**session, "XAUTHORITY": "/dev/null"}, "ben": session}
    for user, env in asked.items():
        ran = cluster.login.run(["srun", "--chdir=/home/" + user, "python3", "ask.py"], user=user, env=env)
        assert ran.rc != 0
        assert "no cookie shown" in ran.stderr or "couldn't connect to display" in ran.stderr, ran.stderr
    ran = cluster.login.run(["srun", "--chdir=/home/ana", "python3", "ask.py"], user="ana", env=session)
    assert ran.stdout.startswith(f"{NODE} {session['DISPLAY']} "), ran.stderr


def test_unasked_the_display_is_for_the_login_node_only(person: Person, login: str) -> None:
    here = person.run(person.x11fwd("ssh", "--via", "bridge", login, "python3 ask.py"), timeout=60)
    assert here.rc == 0, here.stderr
    ran = person.run(person.x11fwd("ssh", "--via", "bridge", login, "srun python3 ask.py"), timeout=60)
    assert ran.rc != 0
    assert "couldn't connect to display" in ran.stderr, ran.stderr


def test_the_settings_may_say_so_for_a_host(person: Person, login: str) -> None:
    person.write(".config/x11fwd/config", f"Host login\n  ComputeNodes {LOGIN_ADDRESS}\n")
    ran = person.run(person.x11fwd("ssh", "-v", login, "srun python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert ran.stdout.startswith(f"{NODE} {LOGIN_ADDRESS}:"), ran.stdout
    assert "config:2 lets other computers of the cluster in" in ran.stderr


def test_a_node_that_lets_one_in_is_reached_through_the_login_node(person: Person, login: str) -> None:
    """`-J`, where the site allows a login to the node of one's own job (pam_slurm_adopt)."""
    more = ("-J", login, "-o", "StrictHostKeyChecking=no", "-p", str(NODE_PORT), f"ana@{NODE}")
    ran = person.run(person.x11fwd("ssh", "--via", "bridge", *more, "python3 ask.py"), timeout=60)
    assert ran.rc == 0, ran.stderr
    assert ran.stdout.startswith(f"{NODE} localhost:"), ran.stdout


def report(ran: Ran) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """What `doctor --json` says: the id of the cause, and the findings by their ids."""
    document = json.loads(ran.stdout)
    return document["cause"], {one["id"]: one for one in document["findings"]}


@pytest.mark.usefixtures("slurm_forwards")
def test_slurms_own_forwarding_works_on_every_route(person: Person, login: str) -> None:
    """`srun --x11`, where the site has PrologFlags=X11: the job's display is Slurm's own, on the node."""
    ways = (["ssh", "-X"], *(person.x11fwd("ssh", *more) for more in (["--via", "bridge"], ["--nodes"])))
    for way in ways:
        ran = person.run([*way, login, "srun --x11 python3 ask.py"], timeout=60)
        assert ran.rc == 0, ran.stderr
        assert re.match(rf"{NODE} localhost:\d+\.0 \d+ 1280\n", ran.stdout), ran.stdout
    ran = person.run(person.x11fwd("doctor", login, "--json"), timeout=60)
    cause, findings = report(ran)
    assert (ran.rc, cause, findings["slurm-no-x11"]["status"]) == (0, None, "pass"), ran.stdout
    assert "PrologFlags = Alloc,Contain,X11" in findings["slurm-no-x11"]["evidence"]


def test_a_site_without_it_refuses_and_doctor_says_so(person: Person, login: str) -> None:
    ran = person.run(person.x11fwd("ssh", login, "srun --x11 true"), timeout=60)
    assert ran.rc != 0
    assert "Unable to allocate resources: X11 forwarding not available" in ran.stderr
    ran = person.run(person.x11fwd("doctor", login, "--json"), timeout=60)
    cause, findings = report(ran)
    assert (ran.rc, cause, findings["slurm-no-x11"]["status"]) == (0, "slurm-no-x11", "warn"), ran.stdout
    assert "PrologFlags = (null)" in findings["slurm-no-x11"]["evidence"]
    assert findings["slurm-no-x11"]["fix"]["command"] == "x11fwd ssh --nodes login -- srun COMMAND"


def test_doctor_in_a_job_says_how_its_windows_would_come(
    person: Person, cluster: Cluster, login: str
) -> None:
    ask = "srun x11fwd doctor --json"
    ran = person.run(["ssh", "-X", login, ask], timeout=60)
    cause, findings = report(ran)
    assert cause == "batch-inherits-display", ran.stdout
    assert findings[cause]["fix"]["command"] == f"x11fwd ssh --nodes {cluster.login.hostname}"
    # then they come; neither the job nor the session on the login node has anything to complain of
    for command in (ask, "x11fwd doctor --json"):
        ran = person.run(person.x11fwd("ssh", "--nodes", login, command), timeout=60)
        cause, findings = report(ran)
        assert (ran.rc, cause, findings["slurm-no-x11"]["status"]) == (0, None, "pass"), ran.stdout


def test_doctor_in_a_job_sees_a_firewall_between_the_computers(
    person: Person, cluster: Cluster, login: str
) -> None:
    rule = ["ipproto", "tcp", "dport", "6000-6500", "unreachable"]
    assert cluster.on_node(["ip", "rule", "add", *rule]).rc == 0
    try:
        ran = person.run(person.x11fwd("ssh", "--nodes", login, "srun x11fwd doctor --json"), timeout=60)
    finally:
        assert cluster.on_node(["ip", "rule", "del", *rule]).rc == 0
    cause, findings = report(ran)
    assert cause == "batch-inherits-display", ran.stdout
    assert findings[cause]["title"].startswith(f"{NODE} does not get through to {cluster.login.hostname}")
    assert re.search(
        rf"the nodes need TCP port 60\d\d of {cluster.login.hostname}", findings[cause]["evidence"]
    )
