"""What sshd, systemctl and xauth say on the server; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

MESSAGES = (
    row(
        "X11 forwarding disabled in server configuration file",
        ids={
            "sshd-x11forwarding-no": "sshd's own log says it: the configuration says no",
            "sshd-disableforwarding": "DisableForwarding gives the same line",
            "sshd-match-block": "or a Match block says no for this user or address",
        },
    ),
    row(
        "Failed to allocate internet-domain X11 display socket",
        "x11_create_display_inet failed",
        ids={
            "sshd-ipv6-off": "sshd wants IPv4 and IPv6 on loopback, and one of them cannot be had",
            "sshd-ports-exhausted": "or all 1000 display numbers are in use",
            "sshd-offset-out-of-range": "or X11DisplayOffset is too large",
        },
    ),
    row(
        "bad display name {x} in remove command",
        "bad display name {x} in add command",
        ids={"sshd-uselocalhost-no-hostname": "DISPLAY holds the server's own name, which nobody resolves"},
    ),
    row(
        "is not allowed within a Match block",
        ids={
            "sshd-append-breaks-daemon": "a global option stands below a Match line: sshd would not start",
            "sshd-append-lands-in-match": "what is appended after Match belongs to it",
        },
    ),
    row(
        "Bad configuration option:",
        "bad configuration options",
        "unsupported option {w}.",
        "Unsupported Match attribute",
        "sshd_config line {n}: no argument after keyword",
        "extra arguments at end of line",
        "sshd_config line {n}: garbage at end of line",
        ids={
            "sshd-config-syntax": "sshd does not understand a line of its configuration",
            "sshd-append-breaks-daemon": "with that it would not start again",
        },
    ),
    row(
        "no hostkeys available -- exiting",
        "Unable to load host key",
        "/etc/ssh/sshd_config: Permission denied",
        "sshd: command not found",
        ids={"sshd-t-needs-root": "`sshd -T` was run without root, and the host keys are root's"},
    ),
    row(
        "Unit sshd.service not found",
        "Unit ssh.service not found",
        "Unit sshd.service could not be found",
        "Unit ssh.service could not be found",
        "sshd.service failed: Unit",
        "ssh.service: unrecognized service",
        "sshd: unrecognized service",
        "System has not been booted with systemd as init system",
        ids={"sshd-unit-name": "the service has another name on this system"},
    ),
    row(
        "This service allows sftp connections only",
        "This account is currently not available",
        "not allowed because shell {x} does not exist",
        "not allowed because shell {x} is not executable",
        "bad ownership or modes for chroot directory",
        ids={"no-shell-account": "the account has no shell that programs could run in"},
    ),
    row(
        "key options: command",
        "Remote: Forced command",
        weak=True,
        ids={"forced-command": "the key runs one command, whatever is asked for"},
    ),
    row(
        "comm=xauth",
        "avc: denied {x} xauth",
        ids={"selinux-blocks-xauth": "SELinux has denied xauth something"},
    ),
    row(
        "x11uselocalhost no",
        weak=True,
        ids={"sshd-uselocalhost-no-exposed": "the forwarded display listens on every interface"},
    ),
)
