"""Rows of the truth table about the ssh client: section B of the catalogue."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Desk, Diagnosis, Fault, Scene, Session, Stage
from tests.lab.gateway import Gateway
from tests.lab.host import Ran
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

UNTRUSTED = "ForwardX11 yes\nForwardX11Trusted no\nForwardX11Timeout 24d"
ASKS_UNTRUSTED = Stage(options=UNTRUSTED)
CONTROL = ".ssh/master"

OWN_NETWORK = Stage().but(own_network=True)


def nothing(_scene: Scene) -> None:
    """It lies in how the person logs in."""


def with_options(*options: str, **env: str) -> Callable[[Scene], Diagnosis]:
    return lambda scene: scene.inside(ssh=options, env=env)


def inside(scene: Scene) -> Diagnosis:
    return scene.inside()


# --- ssh_config -------------------------------------------------------------------------------------------


def earlier_block(scene: Scene) -> None:
    scene.person.config_before("Host *\n    ForwardX11 no\n")


def earlier_match(scene: Scene) -> None:
    scene.person.config_before('Match host gpu1 exec "true"\n    ForwardX11 no\n')


def earlier_include(scene: Scene) -> None:
    scene.person.write(".ssh/conf.d/site.conf", "Host gpu* !gpu2\n    ForwardX11 no\n")
    scene.person.config_before("Include conf.d/*.conf\n")


def wrong_cookie(scene: Scene) -> None:
    from tests.lab.screen import Screen

    with Screen() as other:
        scene.person.write(".Xauthority", other.authority.read_bytes())
    assert scene.screen
    display = scene.screen.display
    scene.person.run(["xauth", "add", display, ".", "0" * 32])


def no_cookie(scene: Scene) -> None:
    scene.person.remove(".Xauthority")


def server_gone(scene: Scene) -> None:
    scene.env["DISPLAY"] = ":77"


def no_xauth(scene: Scene) -> None:
    scene.person.lab.hide("/usr/bin/xauth")


def wrong_xauth(scene: Scene) -> None:
    scene.person.config("XAuthLocation /opt/nowhere/xauth")


def trusted_no(scene: Scene) -> None:
    scene.person.config("ForwardX11Trusted no")


def asks_untrusted(scene: Scene) -> None:
    scene.person.config(UNTRUSTED)


def twenty_minutes(scene: Scene) -> None:
    scene.person.config("ForwardX11 yes\nForwardX11Trusted no")


def three_hours(scene: Scene) -> None:
    scene.person.config("ForwardX11 yes\nForwardX11Trusted no\nForwardX11Timeout 3h")


def too_long(scene: Scene) -> None:
    scene.person.config("ForwardX11 yes\nForwardX11Trusted no\nForwardX11Timeout 30d")


def quiet(scene: Scene) -> None:
    scene.person.config("LogLevel QUIET")


def quiet_and_refused(scene: Scene) -> None:
    forwarding_off(scene)
    quiet(scene)


def sends_display(scene: Scene) -> None:
    scene.sshd_config("AcceptEnv LANG DISPLAY")
    scene.person.config("SendEnv DISPLAY")


def sets_display(scene: Scene) -> None:
    scene.sshd_config("AcceptEnv DIS*")
    scene.person.config("SetEnv DISPLAY=:0")


def accepts_display(scene: Scene) -> None:
    scene.sshd_config("AcceptEnv DISPLAY")


def every_host(scene: Scene) -> None:
    scene.person.config_before("Host *\n    ForwardX11 yes\n")


def before_any_host(scene: Scene) -> None:
    scene.person.config_before("ForwardX11 yes\n")


# --- an open master ---------------------------------------------------------------------------------------


def open_master(scene: Scene, *words: str, **env: str) -> None:
    """A connection that plain ssh would reuse; the command, if any, is one session on it."""
    path = str(scene.person.path(CONTROL))
    scene.person.config(f"ControlPath {path}")
    options, command = [word for word in words if word[0] == "-"], [word for word in words if word[0] != "-"]
    argv = ["ssh", *options, *([] if command else ["-N"]), "-o", "ControlMaster=yes", "gpu1", *command]
    process = scene.person.lab.popen(argv, env={**scene.env, **env}, stdin=None, stdout=None, stderr=None)
    scene.keeping.callback(process.wait)
    scene.keeping.callback(process.kill)
    check = ["ssh", "-O", "check", "gpu1"]
    wait_for(lambda: scene.person.run(check).rc == 0, limit=90, what="the open master")


def master_without_x11(scene: Scene) -> None:
    open_master(scene, "-x")


def master_without_display(scene: Scene) -> None:
    open_master(scene, "-Y", DISPLAY="")


def master_of_another_screen(scene: Scene) -> None:
    open_master(scene, "-Y", DISPLAY=":98")


def full_master(scene: Scene) -> None:
    scene.sshd_config("MaxSessions 1")
    open_master(scene, "-Y", "sleep 600")


def end_master(scene: Scene) -> None:
    scene.person.run(["ssh", "-O", "exit", "gpu1"])
    wait_for(lambda: not scene.person.path(CONTROL).exists(), limit=90, what="the end of the master")
    scene.restore()


# --- beyond this host -------------------------------------------------------------------------------------


def second_host(scene: Scene) -> None:
    """The host can log in to itself under the name `far`, as to a second one."""
    lab = scene.host.lab
    block = f"Host far\n    HostName {lab.address}\n    Port {lab.port}\n    User ana\n"
    scene.host.write("/home/ana/.ssh/id_far", lab.key_path.read_bytes(), mode=0o600, user="ana")
    scene.host.write("/home/ana/.ssh/known_hosts", lab.known_hosts_line + "\n", mode=0o600, user="ana")
    block += "    IdentityFile ~/.ssh/id_far\n"
    scene.host.write("/home/ana/.ssh/config", block, mode=0o600, user="ana")


def goes_on(scene: Scene) -> None:
    text = scene.host.read("/home/ana/.ssh/config") + "    ForwardX11 yes\n"
    scene.host.write("/home/ana/.ssh/config", text, mode=0o600, user="ana")


def from_the_hop(scene: Scene) -> Diagnosis:
    with Session(scene) as session:
        ran = session.run("x11fwd doctor --json far")
    return Diagnosis.of(ran)


def hop_without_x11(scene: Scene) -> Diagnosis:
    """On the second host, reached by plain ssh from the first one."""
    script = "/var/tmp/second-hop"
    text = f"#!/bin/sh\nx11fwd doctor --json >{script}.out 2>{script}.err </dev/null\necho $? >{script}.rc\n"
    scene.host.lab.write(script, text, mode=0o755)
    with Session(scene) as session:
        session.run(f"ssh far {script}")
    read = scene.host.read
    return Diagnosis.of(Ran(int(read(f"{script}.rc")), read(f"{script}.out"), read(f"{script}.err")))


def behind_gateway(banner: str) -> Callable[[Scene], None]:
    def inject(scene: Scene) -> None:
        gateway = scene.keeping.enter_context(Gateway(scene.host.lab, banner))
        scene.person.config(
            f"Port {gateway.port}\nUserKnownHostsFile {gateway.known_hosts}\nHostName 127.0.0.1"
        )

    return inject


def left_behind(scene: Scene) -> Diagnosis:
    """A program started with `&` that looks for its display after the session has ended."""
    script = "/var/tmp/left-behind"
    scene.host.lab.write(
        script,
        f"while [ ! -e {script}.go ]; do sleep 0.1; done\n"
        f"x11fwd doctor --json >{script}.out 2>{script}.err </dev/null\necho $? >{script}.new\n"
        f"mv {script}.new {script}.rc\n",
        mode=0o755,
    )
    session = Session(scene)
    with contextlib.closing(session):
        session.run(f"setsid sh {script} >/dev/null 2>&1 &")
    lab = scene.host.lab
    wait_for(lambda: "ana" not in lab.check(["ps", "-C", "sshd", "-o", "args="]), limit=90, what="the logout")
    scene.host.write(f"{script}.go", "")
    done = scene.host.path(f"{script}.rc")
    wait_for(done.exists, limit=180, what="what the program left behind says")
    read = scene.host.read
    return Diagnosis.of(Ran(int(read(f"{script}.rc")), read(f"{script}.out"), read(f"{script}.err")))


def by_the_systems_ssh(scene: Scene) -> Diagnosis:
    """The probe login is then the system's own ssh, and its debug lines are read."""
    return scene.doctor("--transport", "openssh")


def key_options(scene: Scene) -> None:
    keys = "/home/ana/.ssh/authorized_keys"
    scene.host.write(keys, "no-X11-forwarding " + scene.host.read(keys), mode=0o600, user="ana")


def no_remote_xauth(scene: Scene) -> None:
    scene.host.remove("/usr/bin/xauth")


def forwarding_off(scene: Scene) -> None:
    scene.host.replace("/etc/ssh/sshd_config", "X11Forwarding yes", "X11Forwarding no")
    scene.reload_sshd()


FAULTS: tuple[Fault, ...] = (
    Fault(
        "ssh-no-x11-request",
        "F29",
        nothing,
        look=with_options("-x"),
        cured=inside,
        mode="inside",
        status="fail",
        says="did not ask for X11",
    ),
    Fault(
        "ssh-no-x11-request",
        "F29",
        nothing,
        case="trusted-alone",
        look=with_options("-o", "ForwardX11Trusted=yes"),
        cured=inside,
        mode="inside",
        status="fail",
    ),
    Fault(
        "ssh-no-x11-request",
        "F29",
        lambda scene: scene.person.config("ForwardX11Trusted yes"),
        case="at-the-desk",
        kind="note",
        says=r"ForwardX11Trusted yes \(\S+config:\d+\) does not ask",
    ),
    Fault(
        "ssh-config-says-no",
        "F30",
        earlier_block,
        stage=Stage(options="ForwardX11 yes"),
        status="fail",
        says=r"config:2 \(Host \*\) says no, and ssh keeps the first value; \S+:\d+ \(Host gpu1\) says yes",
    ),
    Fault(
        "ssh-config-says-no",
        "F30",
        earlier_match,
        case="match-exec",
        stage=Stage(options="ForwardX11 yes"),
        status="fail",
        says=r"config:2 \(Match host gpu1",
    ),
    Fault(
        "ssh-config-says-no",
        "F30",
        earlier_include,
        case="include",
        stage=Stage(options="ForwardX11 yes"),
        status="fail",
        says=r"site.conf:2 \(Host gpu\*",
    ),
    Fault("local-xauth-missing-trusted", "F31", no_xauth, status="fail", says="xauth is missing"),
    *(
        Fault(
            "untrusted-no-xauth-data",
            "F32",
            inject,
            kind="symptom",
            case=case,
            under=under,
            stage=stage,
            status="fail",
            says="xauth key data not generated",
        )
        for case, inject, under, stage in (
            ("server-gone", server_gone, "local-display-dead", ASKS_UNTRUSTED),
            ("wrong-cookie", wrong_cookie, "local-xauthority-wrong", ASKS_UNTRUSTED),
            ("no-cookie", no_cookie, "local-xauthority-wrong", ASKS_UNTRUSTED),
            ("no-xauth", no_xauth, "local-xauth-missing-trusted", ASKS_UNTRUSTED),
            ("wrong-xauth", wrong_xauth, "xquartz-xauthlocation-lost", ASKS_UNTRUSTED),
            (
                "no-security",
                asks_untrusted,
                "untrusted-security-extension",
                Stage(desk=Desk(without=("SECURITY",))),
            ),
        )
    ),
    Fault(
        "untrusted-security-extension",
        "F33",
        trusted_no,
        stage=Stage(desk=Desk(without=("SECURITY",))),
        status="warn",
        says=r"no SECURITY extension; ForwardX11Trusted: \S+config:\d+",
    ),
    Fault(
        "untrusted-security-extension",
        "F33",
        asks_untrusted,
        case="asked-for",
        stage=Stage(desk=Desk(without=("SECURITY",))),
        status="fail",
        says="ssh -Y gpu1",
    ),
    Fault(
        "untrusted-20-minutes", "F34", twenty_minutes, status="warn", says="refused 20 minutes after login"
    ),
    Fault(
        "untrusted-20-minutes",
        "F34",
        three_hours,
        case="three-hours",
        status="warn",
        says=r"3 hours after login.*\n.*config:\d+: ForwardX11Timeout 3h",
    ),
    Fault("untrusted-20-minutes", "F34", too_long, case="too-long", status="warn", says="24d is the longest"),
    Fault(
        "debian-trusted-by-default",
        "F36",
        nothing,
        cure=trusted_no,
        kind="note",
        says="full access to this screen, as -Y does: this build's default",
    ),
    Fault(
        "mux-master-without-x11",
        "F37",
        master_without_x11,
        end_master,
        status="warn",
        says=r"made without X11\n\S+/\.ssh/master, process \d+",
    ),
    Fault(
        "mux-master-other-display",
        "F38",
        master_without_display,
        end_master,
        case="no-display",
        status="warn",
        says="it has no DISPLAY",
    ),
    Fault(
        "mux-master-other-display",
        "F38",
        master_of_another_screen,
        end_master,
        case="another",
        status="warn",
        says="it has DISPLAY=:98",
    ),
    Fault(
        "mux-max-sessions", "F39", full_master, end_master, status="warn", says="Session open refused by peer"
    ),
    Fault(
        "jump-second-hop",
        "F40",
        second_host,
        goes_on,
        look=from_the_hop,
        status="warn",
        says=r"ssh -J \S+ -X far",
    ),
    Fault(
        "ssh-no-x11-request",
        "F29",
        second_host,
        goes_on,
        case="second-hop",
        look=hop_without_x11,
        mode="inside",
        status="fail",
        says="ssh -J THAT_SERVER",
    ),
    Fault(
        "gateway-not-passing-x11",
        "F41",
        behind_gateway("SSH-2.0-Teleport"),
        status="fail",
        says="Teleport, a gateway that ends the ssh session itself, and it refused X11",
    ),
    Fault(
        "server-not-openssh",
        "F70",
        behind_gateway("SSH-2.0-paramiko_9.9"),
        status="fail",
        says="paramiko_9.9, which refused X11",
    ),
    Fault("quiet-hides-everything", "F42", quiet, kind="note", says=r"config:\d+: LogLevel QUIET"),
    Fault(
        "sshd-x11forwarding-no",
        "F42",
        quiet_and_refused,
        case="quiet",
        status="fail",
        also=("quiet-hides-everything",),
    ),
    Fault(
        "ssh-background-race",
        "F43",
        nothing,
        stage=OWN_NETWORK,  # where nobody else takes the number meanwhile
        look=left_behind,
        cured=inside,
        mode="inside",
        status="fail",
        says="nobody listens any more",
    ),
    Fault("sendenv-display", "F47", sends_display, status="warn", says=r"config:\d+: sendenv DISPLAY"),
    Fault(
        "sendenv-display",
        "F47",
        sets_display,
        case="set",
        status="warn",
        says=r"config:\d+: setenv DISPLAY=:0",
    ),
    Fault(
        "sendenv-display",
        "F47",
        accepts_display,
        case="in-the-session",
        look=with_options("-x", "-o", "SendEnv=DISPLAY"),
        cured=inside,
        mode="inside",
        status="fail",
        says=r"DISPLAY=:\d+ of this session was sent by your ssh",
    ),
    Fault(
        "forwardx11-for-all-hosts",
        "F48",
        every_host,
        status="warn",
        says=r"config:2 \(Host \*\) says yes",
    ),
    Fault(
        "forwardx11-for-all-hosts",
        "F48",
        before_any_host,
        case="before-any-host",
        status="warn",
        says=r"config:1 says yes",
    ),
    *(
        Fault(slug, code, inject, case="openssh", look=by_the_systems_ssh, status="fail")
        for slug, code, inject in (
            ("sshd-x11forwarding-no", "F49", forwarding_off),
            ("remote-xauth-missing", "F58", no_remote_xauth),
            ("key-no-x11", "F66", key_options),
            ("local-display-dead", "F02", server_gone),
        )
    ),
)
