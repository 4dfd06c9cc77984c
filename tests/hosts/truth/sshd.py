"""Rows of the truth table about sshd: section C of the catalogue."""

from __future__ import annotations

from tests.hosts.truth.rig import Fault, Scene, Setup, Stage

MAIN = "/etc/ssh/sshd_config"
EARLY = "/etc/ssh/sshd_config.d/10-cloud-init.conf"
LATE = "/etc/ssh/sshd_config.d/99-mine.conf"
OWN_NETWORK = Stage().but(own_network=True)
NO_RIGHTS = Stage(user="ben")  # who has no sudo
OLD = Stage(suite="bullseye", setup=Setup(x11_forwarding=True))  # OpenSSH 8.4
NEW = Stage(suite="trixie")  # OpenSSH 10.0


def forwarding_off(scene: Scene) -> None:
    scene.host.replace(MAIN, "X11Forwarding yes", "X11Forwarding no")
    scene.reload_sshd()


def no_line_at_all(scene: Scene) -> None:
    scene.host.replace(MAIN, "X11Forwarding yes", "")
    scene.reload_sshd()


def match_block(scene: Scene) -> None:
    scene.sshd_config("Match User ana\n    X11Forwarding no", first=False)


def match_address(scene: Scene) -> None:
    scene.sshd_config("Match Address *\n    X11Forwarding no", first=False)


def dropin_wins(scene: Scene) -> None:
    scene.host.write(EARLY, "# written by cloud-init\nX11Forwarding no\n")
    scene.reload_sshd()


def later_dropin_loses(scene: Scene) -> None:
    scene.host.write(EARLY, "X11Forwarding no\n")
    scene.host.write(LATE, "X11Forwarding yes\n")
    scene.reload_sshd()


def appended_under_match(scene: Scene) -> None:
    scene.host.replace(MAIN, "X11Forwarding yes", "")
    scene.sshd_config("Match User git\n    AllowTcpForwarding no\n\nX11Forwarding yes", first=False)


def appended_globals(scene: Scene) -> None:
    # the running daemon has the old files; the next start would end in these
    scene.host.append(MAIN, "Match User git\n    AllowTcpForwarding no\nAddressFamily inet\n")


def typing_error(scene: Scene) -> None:
    scene.host.append(MAIN, "X11Forward yes\n")


def true_for_yes(scene: Scene) -> None:
    scene.host.write(EARLY, "X11Forwarding true\n")


def not_reloaded(scene: Scene) -> None:
    scene.host.replace(MAIN, "X11Forwarding yes", "X11Forwarding no")
    scene.reload_sshd()
    scene.host.replace(MAIN, "X11Forwarding no", "X11Forwarding yes")


def disable_forwarding(scene: Scene) -> None:
    scene.sshd_config("DisableForwarding yes")


def no_xauth(scene: Scene) -> None:
    scene.host.remove("/usr/bin/xauth")


def xauth_elsewhere(scene: Scene) -> None:
    scene.sshd_config("XAuthLocation /usr/X11R6/bin/xauth")


def xauth_none(scene: Scene) -> None:
    scene.sshd_config("XAuthLocation none")


def ipv6_off(scene: Scene) -> None:
    scene.host.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")


def ipv6_on(scene: Scene) -> None:
    scene.host.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=0")


def ipv6_off_on_lo(scene: Scene) -> None:
    scene.host.run("ip -6 addr del ::1/128 dev lo")


def ipv6_back_on_lo(scene: Scene) -> None:
    scene.host.run("ip -6 addr add ::1/128 dev lo")


def localhost_is_v6(scene: Scene) -> None:
    scene.host.write("/etc/hosts", "::1 localhost\n")
    scene.sshd_config("AddressFamily inet")


BIND = """
import socket, sys
held = []
for port in range(6010, 7010):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        one = socket.socket(family)
        one.bind((address, port))
        one.listen(1)
        held.append(one)
print("held", flush=True)
sys.stdin.read()
"""


def ports_taken(scene: Scene) -> None:
    scene.host.write("/tmp/bind.py", BIND)
    holder = scene.host.start("sh -c 'ulimit -n 4096; exec python3 /tmp/bind.py'")
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline().strip()
    scene.keeping.callback(holder.wait)
    scene.keeping.callback(holder.stdin.close)


def ports_free(scene: Scene) -> None:
    scene.keeping.close()
    scene.restore()


def offset_too_high(scene: Scene) -> None:
    scene.sshd_config("X11DisplayOffset 64000")


def own_name_unknown(scene: Scene) -> None:
    scene.host.run("hostname gpu-7f3a")
    scene.sshd_config("X11UseLocalhost no")


def own_name_again(scene: Scene) -> None:
    scene.restore()
    scene.host.run("hostname localhost")


def exposed(scene: Scene) -> None:
    scene.host.run("hostname localhost.example")
    scene.host.append("/etc/hosts", "127.0.0.1 localhost.example\n")
    scene.sshd_config("X11UseLocalhost no")


def key_forbids(scene: Scene) -> None:
    scene.host.prepend("/home/ana/.ssh/authorized_keys", "no-X11-forwarding ")


def key_restricted(scene: Scene) -> None:
    scene.host.prepend("/home/ana/.ssh/authorized_keys", "restrict,pty ")


def key_command(scene: Scene) -> None:
    scene.host.prepend("/home/ana/.ssh/authorized_keys", 'command="date" ')


def force_command(scene: Scene) -> None:
    scene.sshd_config("Match User ana\n    ForceCommand /bin/date", first=False)


def no_shell(scene: Scene) -> None:
    scene.host.keep("/etc/passwd")
    scene.host.run("usermod -s /usr/sbin/nologin ana")


def sftp_only(scene: Scene) -> None:
    scene.sshd_config("Match User ana\n    ForceCommand internal-sftp", first=False)


def exec_shell(scene: Scene) -> None:
    scene.host.prepend("/home/ana/.bashrc", "exec /bin/sh\n")


def hidden_settings(scene: Scene) -> None:
    scene.host.replace(MAIN, "X11Forwarding yes", "X11Forwarding no")
    scene.host.keep(MAIN)
    scene.host.run(f"chmod 600 {MAIN}")
    scene.reload_sshd()


FAULTS: tuple[Fault, ...] = (
    Fault("sshd-x11forwarding-no", "F49", forwarding_off, says=r"/etc/ssh/sshd_config:\d+", pairs=True),
    Fault("sshd-x11forwarding-no", "F49", no_line_at_all, says="default is no", case="default"),
    Fault("sshd-x11forwarding-no", "F49", forwarding_off, says=r"sshd_config:\d+", case="11", stage=OLD),
    Fault("sshd-x11forwarding-no", "F49", forwarding_off, says=r"sshd_config:\d+", case="13", stage=NEW),
    Fault("sshd-match-block", "F50", match_block, says=r"sshd_config:\d+.*Match User ana", pairs=True),
    Fault("sshd-match-block", "F50", match_address, says=r"Match Address \*", case="address"),
    Fault("sshd-dropin-wins", "F51", dropin_wins, says=r"10-cloud-init\.conf:2.*first value", pairs=True),
    Fault("sshd-dropin-wins", "F51", later_dropin_loses, says=r"10-cloud-init\.conf:1", case="late"),
    Fault("sshd-append-lands-in-match", "F52", appended_under_match, says=r"Match User git", pairs=True),
    Fault("sshd-append-breaks-daemon", "F53", appended_globals, status="warn", says="AddressFamily"),
    Fault("sshd-config-syntax", "F54", typing_error, status="warn", says="X11Forward", pairs=True),
    Fault("sshd-config-syntax", "F54", true_for_yes, status="warn", says="true", case="true"),
    Fault("sshd-not-reloaded", "F55", not_reloaded, cure=Scene.reload_sshd, says="HUP|reload"),
    Fault("sshd-not-reloaded", "F55", not_reloaded, cure=Scene.reload_sshd, says="HUP", case="11", stage=OLD),
    Fault("sshd-not-reloaded", "F55", not_reloaded, cure=Scene.reload_sshd, says="HUP", case="13", stage=NEW),
    Fault("sshd-disableforwarding", "F57", disable_forwarding, says=r"sshd_config:1", pairs=True),
    Fault("sshd-disableforwarding", "F57", disable_forwarding, says="sshd_config:1", case="11", stage=OLD),
    Fault("sshd-disableforwarding", "F57", disable_forwarding, says="sshd_config:1", case="13", stage=NEW),
    Fault("remote-xauth-missing", "F58", no_xauth, says="No xauth program", pairs=True),
    Fault("remote-xauth-missing", "F58", no_xauth, says="No xauth program", case="11", stage=OLD),
    Fault("remote-xauth-missing", "F58", no_xauth, says="No xauth program", case="13", stage=NEW),
    Fault("sshd-xauthlocation", "F59", xauth_elsewhere, says="/usr/X11R6/bin/xauth", pairs=True),
    Fault("sshd-xauthlocation", "F59", xauth_none, says="none", case="none"),
    Fault("sshd-ipv6-off", "F60", ipv6_off, ipv6_on, says="::1", stage=OWN_NETWORK),
    Fault("sshd-ipv6-off", "F60", ipv6_off_on_lo, ipv6_back_on_lo, says="::1", case="lo", stage=OWN_NETWORK),
    Fault("sshd-localhost-v6-only", "F61", localhost_is_v6, says=r"127\.0\.0\.1:10", stage=OWN_NETWORK),
    Fault("sshd-ports-exhausted", "F62", ports_taken, ports_free, says="6010", stage=OWN_NETWORK),
    Fault("sshd-offset-out-of-range", "F63", offset_too_high, says="64000", pairs=True),
    Fault("sshd-uselocalhost-no-hostname", "F64", own_name_unknown, says="gpu-7f3a", stage=OWN_NETWORK),
    Fault(
        "sshd-uselocalhost-no-exposed", "F65", exposed, status="warn", says=r"0\.0\.0\.0", stage=OWN_NETWORK
    ),
    Fault("key-no-x11", "F66", key_forbids, says="authorized_keys:1", pairs=True),
    Fault("key-no-x11", "F66", key_forbids, says="authorized_keys:1", case="11", stage=OLD),
    Fault("key-no-x11", "F66", key_forbids, says="authorized_keys:1", case="13", stage=NEW),
    Fault("key-no-x11", "F66", key_restricted, says="authorized_keys:1", case="restrict"),
    Fault("forced-command", "F67", key_command, says="authorized_keys:1", case="key"),
    Fault("forced-command", "F67", force_command, says="ForceCommand", case="sshd"),
    Fault("no-shell-account", "F68", no_shell, says="not available"),
    Fault("no-shell-account", "F68", sftp_only, says="sftp connections only", case="sftp"),
    Fault(
        "x11-request-refused",
        "F71",
        hidden_settings,
        stage=NO_RIGHTS,
        says="refused",
        case="sshd-t-needs-root",
    ),
    Fault("start-file-execs-shell", "F95", exec_shell, says="exec"),
)
