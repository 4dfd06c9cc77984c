"""Rows of the truth table about the remote user's account and session: F72 to F98, and F45 and F46."""

from __future__ import annotations

import struct
from posixpath import dirname
from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Fault, Scene, Stage
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts.truth.diagnosis import Diagnosis

HOME = "/home/ana"
AUTHORITY = f"{HOME}/.Xauthority"
BASHRC = f"{HOME}/.bashrc"
SUDO = Stage().but(sudo="ana ALL=(ALL) NOPASSWD: ALL")
KEYS = "Match User ana\n    AuthorizedKeysFile /etc/ssh/keys-%u\n"  # the home may go away
# display numbers are counted for a network, and other hosts' sessions stand in the usual one
TERMINALS = Stage(variant="tmux").but(own_network=True)
OWN_NETWORK = Stage().but(own_network=True)


# --- the home directory -----------------------------------------------------------------------------------


def home_read_only(scene: Scene) -> None:
    scene.host.run(f"mount --bind {HOME} {HOME} && mount -o remount,ro,bind {HOME}")


def home_writable(scene: Scene) -> None:
    scene.host.run(f"umount {HOME}")


def home_full(scene: Scene) -> None:
    scene.host.run(
        f"cp -a {HOME} /root/home && mount -t tmpfs -o size=64k,mode=755,uid=2001,gid=2001 tmpfs {HOME}"
        f" && cp -a /root/home/.ssh {HOME}/ && (cat /dev/zero >{HOME}/full 2>/dev/null || :)"
    )


def home_emptied(scene: Scene) -> None:
    scene.host.run(f"umount {HOME}; rm -rf /root/home")


def home_missing(scene: Scene) -> None:
    scene.host.run(f"cp {HOME}/.ssh/authorized_keys /etc/ssh/keys-ana && chmod 644 /etc/ssh/keys-ana")
    scene.sshd_config(KEYS, first=False)
    scene.host.run(f"mv {HOME} {HOME}.away")


def home_back(scene: Scene) -> None:
    scene.host.run(f"mv {HOME}.away {HOME}")
    scene.restore()


# --- the authority file -----------------------------------------------------------------------------------


def owned_by_root(scene: Scene) -> None:
    scene.host.write(AUTHORITY, "", mode=0o600)


def locked(scene: Scene) -> None:
    scene.host.write(f"{AUTHORITY}-c", "", user="ana")
    scene.host.write(f"{AUTHORITY}-l", "", user="ana")


def directory(scene: Scene) -> None:
    scene.host.keep(AUTHORITY)
    scene.host.run(f"mkdir {AUTHORITY}")


def moved_by_start_file(scene: Scene) -> None:
    scene.host.append(BASHRC, "export XAUTHORITY=$HOME/.vnc/Xauthority\n")


def moved_by_profile(scene: Scene) -> None:
    scene.host.write(
        "/etc/profile.d/vnc.sh", "# made by the VNC package\nexport XAUTHORITY=/run/vnc/Xauthority\n"
    )


def ssh_rc(scene: Scene) -> None:
    scene.host.write(f"{HOME}/.ssh/rc", 'ln -sf "$SSH_AUTH_SOCK" ~/.ssh/agent\n', user="ana")


def sshrc_of_all(scene: Scene) -> None:
    scene.host.write("/etc/ssh/sshrc", "logger login\n")


def hostname_changed(scene: Scene) -> None:
    scene.log_in("first").run("true")  # the cookie is stored
    scene.host.run("hostname other")


def ask_first(scene: Scene) -> Diagnosis:
    return scene.sessions["first"].doctor()


def hostname_back(scene: Scene) -> None:
    scene.host.run(f"hostname {scene.host.lab.hostname}")


def _wildcard(protocol: bytes) -> bytes:
    """A record for any machine and any display, as xdm writes them (Xau(3))."""
    parts = (b"", b"", protocol, bytes(16))
    return struct.pack(">H", 65535) + b"".join(struct.pack(">H", len(part)) + part for part in parts)


def _put_before(scene: Scene, record: bytes, *, first: bool) -> None:
    scene.log_in("first").run("true")  # the cookie is stored
    path = scene.host.path(AUTHORITY)
    old = path.read_bytes()
    path.write_bytes(record + old if first else old + record)


def foreign_protocol(scene: Scene) -> None:
    _put_before(scene, _wildcard(b"XDM-AUTHORIZATION-1"), first=False)


def foreign_wildcard(scene: Scene) -> None:
    _put_before(scene, _wildcard(b"MIT-MAGIC-COOKIE-1"), first=True)


def no_file(scene: Scene) -> None:
    scene.host.run(f"rm -f {AUTHORITY}*")


# --- start files ------------------------------------------------------------------------------------------


def display_in_bashrc(scene: Scene) -> None:
    scene.host.append(BASHRC, "export DISPLAY=:0\n")


def display_of_client(scene: Scene) -> None:
    scene.host.append(f"{HOME}/.profile", 'DISPLAY="${SSH_CLIENT%% *}:0"; export DISPLAY\n')


def display_in_profile_d(scene: Scene) -> None:
    scene.host.write("/etc/profile.d/x11.sh", "export DISPLAY=localhost:0.0\n")


def display_unset(scene: Scene) -> None:
    scene.host.append(BASHRC, "unset DISPLAY\n")


def noisy(scene: Scene) -> None:
    scene.host.prepend(BASHRC, "echo Welcome to the cluster\n")


def starts_tmux(scene: Scene) -> None:
    scene.host.write(
        "/etc/profile.d/tmux.sh",
        'if [ "$PS1" ] && [ -t 0 ]; then\n'
        '  case "$(ps -o comm= -p $PPID)" in sshd|login) exec tmux ;; esac\nfi\n',
    )


# --- a session --------------------------------------------------------------------------------------------


def nothing(scene: Scene) -> None:
    """The fault is in how doctor is asked."""


def by_sudo(scene: Scene) -> Diagnosis:
    return scene.inside("sudo -n {doctor}")


def by_sudo_with_cookie(scene: Scene) -> Diagnosis:
    return scene.inside(f"sudo -n env XAUTHORITY={AUTHORITY} {{doctor}}")


def by_su(scene: Scene) -> Diagnosis:
    return scene.inside("sudo -n su - ben -c {doctor}")


def by_su_to_root(scene: Scene) -> Diagnosis:
    return scene.inside("sudo -n su - -c {doctor}")


def by_su_with_all(scene: Scene) -> Diagnosis:
    return scene.inside(f"sudo -n sh -c 'DISPLAY='$DISPLAY' XAUTHORITY={AUTHORITY} {{doctor}}'")


def as_oneself(scene: Scene) -> Diagnosis:
    return scene.inside()


def pane_of_the_past(scene: Scene) -> None:
    """A pane that was opened in a session with number 11; both logins are over."""
    keeper = scene.log_in("keeper")
    keeper.run("true")  # it has number 10
    first = scene.log_in("first")
    first.run("tmux -L work new-session -d -s main")
    first.close()
    keeper.close()


def in_that_pane(scene: Scene) -> Diagnosis:
    with_new_login = scene.log_in("second")
    return with_new_login.doctor("tmux -L work send-keys -t main {doctor} Enter")


def kill_tmux(scene: Scene) -> None:
    scene.host.run("tmux -L work kill-server; :", user="ana")


def screen_of_the_past(scene: Scene) -> None:
    keeper = scene.log_in("keeper")
    keeper.run("true")  # it has number 10
    first = scene.log_in("first")
    first.run("screen -dmS work")
    first.close()
    keeper.close()


def kill_screen(scene: Scene) -> None:
    scene.host.run("screen -S work -X quit; :", user="ana")


def in_that_window(scene: Scene) -> Diagnosis:
    second = scene.log_in("second")
    return second.doctor("screen -S work -p 0 -X stuff '{doctor}\r'")


def pane_after_attaching(scene: Scene) -> None:
    """The pane's number 10 was given out again: to another desktop of the same person."""
    first = scene.log_in("first")
    first.run("tmux -L work new-session -d -s main")
    first.close()
    other = scene.keeping.enter_context(Screen(options=("-ac",)))
    # a file of the person's own: where xauth may not make its lock, it tries for 20 s
    cookies = scene.person.write(".Xauthority-other", other.authority.read_bytes())
    scene.log_in("desktop", env={"DISPLAY": other.display, "XAUTHORITY": str(cookies)}).run("true")
    attached = scene.log_in("attached", terminal=True)
    attached.type("tmux -L work attach")
    scene.sessions["desktop"].run(
        "until tmux -L work show-environment -t main DISPLAY | grep -q :11; do sleep 0.1; done", limit=90
    )


def in_the_attached_pane(scene: Scene) -> Diagnosis:
    return scene.sessions["desktop"].doctor("tmux -L work send-keys -t main {doctor} Enter")


def pane_of_a_stranger(scene: Scene) -> None:
    first = scene.log_in("first")
    first.run("tmux -L work new-session -d -s main")
    first.close()
    scene.log_in("stranger", "-Y", "-l", "ben").run("true")


def in_an_own_network(scene: Scene) -> Diagnosis:
    return scene.inside("unshare -Urn {doctor}")


def in_a_container(scene: Scene) -> Diagnosis:
    return scene.inside(
        "unshare -Urpfu --mount-proc sh -c 'hostname c0ffee; mkdir -p /tmp/c; HOME=/tmp/c exec {doctor}'"
    )


def marked_as_container(scene: Scene) -> None:
    scene.host.write("/.dockerenv", "")


def below(program: str, *, display: str, variables: str = "") -> Callable[[Scene], Diagnosis]:
    """Ask below a process that is called like a program that we do not have; its DISPLAY is `display`."""

    def look(scene: Scene) -> Diagnosis:
        given = f"DISPLAY={display} " if display else ""
        made = f"mkdir -p {dirname(program)}; cp /bin/dash {program}"
        return scene.inside(f"{made}; {variables} {given}{program} -c '{{doctor}}; :'")

    return look


def another_python(scene: Scene) -> None:
    scene.host.run("mkdir -p /home/ana/bin && cp /usr/bin/python3 /home/ana/bin/python3", user="ana")


def one_python(scene: Scene) -> None:
    scene.host.run("rm -r /home/ana/bin")


def without_x11(scene: Scene) -> Diagnosis:
    return scene.inside(ssh=("-x",))


def display_typed(scene: Scene) -> Diagnosis:
    return scene.inside("unset DISPLAY; {doctor}")


OVER = "localhost:777.0"  # of a login that is over


def carried(
    code: str, name: str, program: str, *, variables: str = "", case: str = "", says: str = OVER
) -> Fault:
    """A session below `program` that has the DISPLAY of a login that is over; cured: that of this one."""
    return Fault(
        name,
        code,
        nothing,
        mode="inside",
        look=below(program, display=OVER, variables=variables),
        cured=below(program, display="", variables=variables),
        status="fail",
        says=says,
        case=case,
    )


FAULTS: tuple[Fault, ...] = (
    carried("F45", "transport-without-x11", "/tmp/mosh-server", says="mosh-server"),
    carried("F45", "transport-without-x11", "/tmp/etterminal", case="et"),
    carried("F46", "ide-remote-stale-display", "/home/ana/.vscode-server/bin/1/node", says="node"),
    carried("F46", "ide-remote-stale-display", "/home/ana/.cursor-server/bin/1/node", case="cursor"),
    Fault("hardening-auto-tmux", "F72", starts_tmux, status="warn", says=r"/etc/profile\.d/tmux\.sh:2"),
    Fault(
        "home-read-only", "F73", home_read_only, home_writable, status="fail", says="Read-only file system"
    ),
    Fault("home-full-or-quota", "F74", home_full, home_emptied, status="fail", says="No space left"),
    Fault("home-missing", "F75", home_missing, home_back, status="fail", says=HOME),
    Fault("xauthority-owned-by-root", "F76", owned_by_root, no_file, status="fail", says="owner root"),
    Fault("xauthority-stale-lock", "F77", locked, status="fail", says=r"\.Xauthority-c", pairs=True),
    Fault("xauthority-is-a-directory", "F78", directory, status="fail", says="20 s", pairs=True),
    Fault(
        "xauthority-env-override", "F79", moved_by_start_file, status="fail", says=r"\.bashrc:\d+", pairs=True
    ),
    Fault(
        "xauthority-env-override",
        "F79",
        moved_by_profile,
        status="fail",
        says=r"/etc/profile\.d/vnc\.sh:2",
        case="profile",
    ),
    Fault("ssh-rc-eats-cookie", "F80", ssh_rc, status="fail", says=r"/home/ana/\.ssh/rc", pairs=True),
    Fault("ssh-rc-eats-cookie", "F80", sshrc_of_all, status="fail", says="/etc/ssh/sshrc", case="all"),
    Fault(
        "hostname-changed",
        "F81",
        hostname_changed,
        hostname_back,
        mode="inside",
        look=ask_first,
        status="fail",
        says="called other",
    ),
    Fault(
        "xauth-foreign-entries",
        "F82",
        foreign_protocol,
        no_file,
        mode="inside",
        look=ask_first,
        cured=as_oneself,
        status="fail",
        says="XDM-AUTHORIZATION-1",
    ),
    Fault(
        "xauth-foreign-entries",
        "F82",
        foreign_wildcard,
        no_file,
        mode="inside",
        look=ask_first,
        cured=as_oneself,
        status="fail",
        says="#ffff##:",
        case="cookie",
    ),
    Fault("start-file-overwrites-display", "F83", display_in_bashrc, says=r"\.bashrc:\d+.*:0", pairs=True),
    Fault("start-file-overwrites-display", "F83", display_of_client, says=r"\.profile:\d+", case="client"),
    Fault(
        "start-file-overwrites-display",
        "F83",
        display_in_profile_d,
        says=r"/etc/profile\.d/x11\.sh:1",
        case="all",
    ),
    Fault("start-file-overwrites-display", "F83", display_unset, says=r"\.bashrc:\d+: unset", case="unset"),
    Fault(
        "start-file-overwrites-display",
        "F83",
        display_in_bashrc,
        mode="inside",
        look=lambda scene: scene.inside(terminal=True),
        says=r"\.bashrc:\d+",
        case="inside",
    ),
    Fault(
        "sudo-loses-cookie",
        "F84",
        nothing,
        mode="inside",
        look=by_sudo,
        cured=by_sudo_with_cookie,
        stage=SUDO,
        status="fail",
        says=f"XAUTHORITY={AUTHORITY}",
    ),
    Fault(
        "su-dash-loses-display",
        "F85",
        nothing,
        mode="inside",
        look=by_su,
        cured=as_oneself,
        stage=SUDO,
        status="fail",
        says="su \\(process",
    ),
    Fault(
        "su-dash-loses-display",
        "F85",
        nothing,
        mode="inside",
        look=by_su_to_root,
        cured=by_su_with_all,
        stage=SUDO,
        status="fail",
        says=r"export DISPLAY=localhost:\d+\.0 XAUTHORITY",
        case="root",
    ),
    Fault(
        "tmux-stale-display",
        "F86",
        pane_of_the_past,
        kill_tmux,
        stage=TERMINALS,
        status="warn",
        says=r"work main:0\.0 \(process \d+\): DISPLAY=localhost:11\.0",
        case="desk",
    ),
    Fault(
        "tmux-stale-display",
        "F86",
        pane_of_the_past,
        kill_tmux,
        mode="inside",
        look=in_that_pane,
        cured=as_oneself,
        stage=TERMINALS,
        status="fail",
        says=r"DISPLAY=localhost:11\.0",
    ),
    Fault(
        "tmux-stale-display",
        "F86",
        screen_of_the_past,
        kill_screen,
        mode="inside",
        look=in_that_window,
        cured=as_oneself,
        stage=TERMINALS,
        status="fail",
        says=r"DISPLAY=localhost:11\.0",
        case="screen",
    ),
    Fault(
        "tmux-stale-display",
        "F86",
        screen_of_the_past,
        kill_screen,
        stage=TERMINALS,
        status="warn",
        says=r"DISPLAY=localhost:11\.0",
        case="screen-desk",
    ),
    Fault(
        "tmux-number-reused",
        "F87",
        pane_after_attaching,
        kill_tmux,
        mode="inside",
        look=in_the_attached_pane,
        cured=as_oneself,
        stage=TERMINALS,
        status="warn",
        says=r"DISPLAY=localhost:10\.0.*localhost:11\.0",
    ),
    Fault(
        "tmux-number-reused",
        "F87",
        pane_of_a_stranger,
        kill_tmux,
        mode="inside",
        look=in_that_pane,
        cured=as_oneself,
        stage=TERMINALS,
        status="fail",
        says="user 2002|6010",
        case="stranger",
    ),
    Fault(
        "container-network",
        "F88",
        nothing,
        mode="inside",
        look=in_an_own_network,
        cured=as_oneself,
        status="fail",
        says="unreachable|refused",
    ),
    Fault(
        "container-cookie",
        "F89",
        marked_as_container,
        mode="inside",
        look=in_a_container,
        cured=as_oneself,
        status="fail",
        says="c0ffee",
    ),
    carried(
        "F92",
        "batch-inherits-display",
        "/tmp/slurmstepd",
        variables="SLURM_JOB_ID=77 SLURM_SUBMIT_HOST=login1.hpc",
        says="submitted on login1",
    ),
    Fault(
        "slurm-no-x11",
        "F91",
        nothing,
        mode="inside",
        look=below("/tmp/slurmstepd", display="", variables="unset DISPLAY; SLURM_JOB_ID=77"),
        cured=below("/tmp/slurmstepd", display="", variables="SLURM_JOB_ID=77"),
        status="fail",
        says="srun --x11",
    ),
    Fault("noisy-start-files", "F94", noisy, status="warn", says="Welcome to the cluster.*1466264675"),
    Fault(
        "no-tty-no-profile",
        "F97",
        another_python,
        one_python,
        kind="note",
        says="/home/ana/bin/python3 in one",
    ),
    carried("F98", "jupyter-kernel-display", "/tmp/jupyter-lab"),
    Fault(
        "session-without-display",
        "F29",
        nothing,
        mode="inside",
        look=without_x11,
        cured=as_oneself,
        kind="symptom",
        under="ssh-no-x11-request",
        status="fail",
        says="no DISPLAY",
    ),
    Fault(
        "start-file-overwrites-display",
        "F83",
        nothing,
        mode="inside",
        look=display_typed,
        cured=as_oneself,
        status="fail",
        says="typed",
        case="typed",
    ),
)
