"""Where x11fwd runs: made-up process trees as proc(5) and ps(1) show them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from x11fwd.facts.place import PlaceFacts, find_place, is_forwarded
from x11fwd.transports.base import CommandResult
from x11fwd.transports.fake import FakeTransport
from x11fwd.transports.local import LocalTransport

CAME = "10.0.0.5 51234 10.0.0.9 22"
# sl local remote st tx:rx tr:tm retrnsmt uid: port 22 with 51234 of the client
OPEN = "  0: 0900000A:0016 0500000A:C822 01 00000000:00000000 00:00000000 00000000 0 0 1"


class Tree:
    """A file tree with /proc in it; processes are added from the top."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.last = 1
        self.number = 100
        (root / "proc/self/ns").mkdir(parents=True)
        (root / "proc/net").mkdir()
        self.table(OPEN)

    def table(self, *lines: str) -> None:
        (self.root / "proc/net/tcp").write_text("\n".join(("  sl  local_address …", *lines)))

    def process(self, name: str, command: str = "", uid: int = 1000) -> Tree:
        self.number += 1
        folder = self.root / f"proc/{self.number}"
        folder.mkdir()
        uids = "\t".join([str(uid)] * 4)
        (folder / "status").write_text(
            f"Name:\t{name}\nState:\tS (sleeping)\nPPid:\t{self.last}\nUid:\t{uids}\n"
        )
        (folder / "cmdline").write_bytes((command or name).replace(" ", "\0").encode() + b"\0")
        self.last = self.number
        return self

    def sshd_elsewhere(self) -> None:
        """One that is no ancestor of ours."""
        folder = self.root / "proc/9"
        folder.mkdir()
        (folder / "comm").write_text("sshd\n")

    def look(self, **environ: str) -> PlaceFacts:
        return find_place(FakeTransport([]), environ=environ, root=self.root, pid=self.last)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def login(tree: Tree) -> Tree:
    """sshd of OpenSSH 10, and a shell of user 1000 below it."""
    tree.process("sshd", uid=0).process("sshd-session", uid=0).process("sshd-session")
    return tree.process("bash", "-bash")


def test_a_terminal_on_the_desktop_is_no_session(tree: Tree) -> None:
    tree.process("gnome-terminal-", "/usr/libexec/gnome-terminal-server").process("bash")
    place = tree.look(DISPLAY=":0", TMUX="/tmp/tmux-1000/default,1,0")
    assert not place.in_session


def test_a_desktop_of_vnc_that_was_started_by_ssh_is_no_session(tree: Tree) -> None:
    tree.process("Xtigervnc").process("xterm").process("bash")
    assert not tree.look(SSH_CONNECTION=CAME, DISPLAY=":1").in_session
    assert tree.look(SSH_CONNECTION=CAME, DISPLAY=":1", TMUX="/tmp/x,1,0").in_session


def test_an_sshd_above_makes_a_session(login: Tree) -> None:
    place = login.look(SSH_CONNECTION=CAME, DISPLAY="localhost:10.0")
    assert place.in_session
    assert place.why == "sshd-session (process 103) is above this one"
    assert (place.owner, place.below_sshd, place.own_network, place.apart) == (1000, True, False, False)
    assert place.display_number == 10
    assert place.under("user", "tmux") is None


@pytest.mark.parametrize("name", ["sshd", "sshd-session", "sshd-auth", "dropbear"])
def test_servers_are_known_by_their_names(tree: Tree, name: str) -> None:
    assert tree.process(name).process("sh").look().in_session


def test_an_agent_is_no_server(tree: Tree) -> None:
    assert not tree.process("ssh-agent").process("sshfs").process("bash").look().in_session


def test_sudo_changes_the_user_and_not_the_owner_of_the_session(login: Tree) -> None:
    place = login.process("sudo", "sudo -i", uid=0).process("bash", uid=0).look(SUDO_USER="ana")
    assert place.owner == 1000
    above = place.under("user")
    assert above is not None
    assert above.name == "sudo"


def test_a_pane_of_tmux_has_no_sshd_above_it(tree: Tree) -> None:
    tree.process("tmux: server", "tmux new -s main").process("bash")
    place = tree.look(SSH_CONNECTION=CAME, DISPLAY="localhost:11.0", TMUX="/tmp/tmux-1000/default,1,0")
    assert place.in_session
    assert place.why == f"SSH_CONNECTION={CAME}"
    assert not place.below_sshd
    assert not place.own_network  # the connection may be over
    above = place.under("tmux", "screen")
    assert above is not None
    assert above.kind == "tmux"


@pytest.mark.parametrize(
    ("name", "command", "kind"),
    [
        ("mosh-server", "mosh-server new -s", "mosh"),
        ("etterminal", "/usr/bin/etterminal", "et"),
        ("node", "/home/ana/.vscode-server/cli/servers/Stable-1/server/node out/server-main.js", "ide"),
        ("MainThread", "/home/ana/.cursor-server/bin/1/node --type=ptyHost", "ide"),
        ("slurmstepd", "slurmstepd: [77.0]", "batch"),
    ],
)
def test_carriers_of_a_session_are_known(tree: Tree, name: str, command: str, kind: str) -> None:
    place = tree.process(name, command).process("bash").look()
    assert place.in_session
    found = place.under(kind)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("python3", "/opt/conda/bin/python3 -m ipykernel_launcher -f /run/kernel.json"),
        ("jupyter-lab", "/usr/bin/python3 /usr/bin/jupyter-lab"),
        ("jupyterhub-sing", "python3 /opt/bin/jupyterhub-singleuser"),
    ],
)
def test_a_notebook_is_known(tree: Tree, name: str, command: str) -> None:
    place = tree.process(name, command).process("sh").look(SSH_CONNECTION=CAME)
    found = place.under("jupyter")
    assert found is not None


def test_screen_is_known_by_what_it_calls_itself(tree: Tree) -> None:
    place = tree.process("screen", "SCREEN -dmS work").process("bash").look(SSH_CONNECTION=CAME, STY="1.work")
    found = place.under("screen")
    assert found is not None


@pytest.mark.parametrize(
    ("mark", "name"),
    [(".dockerenv", "docker"), ("run/.containerenv", "podman")],
)
def test_a_container_without_any_sshd_is_known_by_its_marks_and_display(
    tree: Tree, mark: str, name: str
) -> None:
    path = tree.root / mark
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    place = tree.process("bash").look(DISPLAY="localhost:10.0")
    assert (place.in_session, place.container, place.apart) == (True, name, True)
    assert place.why == f"DISPLAY=localhost:10.0 in {name} is of the kind that sshd sets"


def test_an_sshd_inside_the_container_is_not_apart(login: Tree) -> None:
    (login.root / ".dockerenv").write_text("")
    assert not login.look(SSH_CONNECTION=CAME, DISPLAY="localhost:10.0").apart


def test_a_pane_in_a_container_with_its_own_sshd_is_not_apart(tree: Tree) -> None:
    (tree.root / ".dockerenv").write_text("")
    tree.sshd_elsewhere()
    tree.process("tmux: server", "tmux").process("bash")
    place = tree.look(SSH_CONNECTION=CAME, DISPLAY="localhost:11.0")
    assert (place.container, place.apart) == ("docker", False)


def test_a_network_without_the_connection_is_another_one(login: Tree) -> None:
    login.table()
    place = login.look(SSH_CONNECTION=CAME)
    assert place.own_network
    assert place.apart


@pytest.mark.parametrize("came", ["UNKNOWN 65535 UNKNOWN 65535", "", "nonsense"])
def test_a_connection_that_is_no_socket_tells_nothing_about_the_network(login: Tree, came: str) -> None:
    login.table()
    assert not login.look(SSH_CONNECTION=came).own_network


def test_a_job_names_the_host_where_it_was_submitted(tree: Tree) -> None:
    place = tree.process("bash").look(SLURM_JOB_ID="77", SLURM_SUBMIT_HOST="login1", DISPLAY="localhost:14.0")
    assert (place.in_session, place.job, place.submit_host) == (True, "Slurm", "login1")


def test_no_secret_of_the_environment_is_kept(login: Tree) -> None:
    assert "tell-nobody" not in repr(login.look(API_TOKEN="tell-nobody", DISPLAY="localhost:10.0"))


def test_tmux_says_which_display_it_took_over_last(tree: Tree) -> None:
    class Tmux(FakeTransport):
        def run(self, argv: object, **_: object) -> CommandResult:
            assert argv == ("tmux", "show-environment")
            return CommandResult(0, b"DISPLAY=localhost:12.0\n-XAUTHORITY\nSECRET=x\n")

    tree.process("tmux: server").process("bash")
    environ = {"SSH_CONNECTION": CAME, "TMUX": "/tmp/x,1,0"}
    place = find_place(Tmux([]), environ=environ, root=tree.root, pid=tree.last)
    assert place.tmux == {"DISPLAY": "localhost:12.0"}


def test_a_mac_is_asked_by_ps(tmp_path: Path) -> None:
    """macOS 14: `ps -A -o pid=,ppid=,uid=,command=`."""

    class Ps(FakeTransport):
        def run(self, argv: object, **_: object) -> CommandResult:
            return CommandResult(
                0,
                b"    1     0     0 /sbin/launchd\n"
                b"  320     1     0 /usr/sbin/sshd -i\n"
                b"  322   320   501 sshd: ana@ttys001\n"
                b"  323   322   501 -zsh\n",
            )

    place = find_place(Ps([]), environ={"SSH_CONNECTION": CAME}, root=tmp_path, pid=323)
    assert [one.kind for one in place.ancestors] == ["", "sshd", "sshd"]
    assert (place.owner, place.own_network) == (501, False)


def test_a_machine_that_cannot_be_asked_goes_by_its_variables(tmp_path: Path) -> None:
    class Nothing(FakeTransport):
        def run(self, argv: object, **_: object) -> CommandResult:
            return CommandResult(127)

    assert not find_place(Nothing([]), environ={}, root=tmp_path, pid=5).in_session
    assert find_place(Nothing([]), environ={"SSH_CONNECTION": CAME}, root=tmp_path, pid=5).in_session


@pytest.mark.parametrize(
    "display", ["localhost:10.0", "localhost:999", "127.0.0.1:10", "gpu1:11.0", "[::1]:10"]
)
def test_displays_of_sshd_are_told_by_their_numbers(display: str) -> None:
    assert is_forwarded(display)


@pytest.mark.parametrize(
    "display", ["", ":0", ":10", "localhost:0.0", "gpu1:9", "/tmp/x:0", "unix:10", "nonsense"]
)
def test_other_displays_are_not_taken_for_those(display: str) -> None:
    assert not is_forwarded(display)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this machine has no /proc")
def test_this_very_process_can_be_looked_at() -> None:
    place = find_place(LocalTransport(), environ={"SSH_CONNECTION": CAME})
    assert place.ancestors[0].pid == os.getppid()
    assert place.uid == os.geteuid()
