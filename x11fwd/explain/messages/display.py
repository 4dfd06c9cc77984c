"""The many wordings of "there is no display", by what DISPLAY held; imported by the table."""

from __future__ import annotations

from x11fwd.explain.message import row

__all__ = ["MESSAGES"]

# Xt, Xlib's samples, GTK, mesa's demos, xauth, Tk, Qt 4 to 6, Java, R, ImageMagick, gnuplot, Emacs
_WORDS = (
    "can't open display: {d}",
    "can't open display {d}",
    "cannot open display: {d}",
    "cannot open display {d}",
    "couldn't open display {d}",
    "couldn't open display: {d}",
    "could not open display {d}",
    "could not open display: {d}",
    "unable to open display {d}",
    "unable to open display: {d}",
    "failed to open display {d}",
    "failed to open display: {d}",
    "couldn't connect to display {d}",
    "could not connect to display {d}",
    "cannot connect to X server {d}",
    "can't connect to X11 window server using {d}",
    "unable to open connection to X11 display {d}",
    "unable to open X server {d}",
)
# Programs that do not say what DISPLAY held: GTK 3, wxWidgets, pyglet, Java, pygame, feh, R
_SILENT = (
    "Unable to init server: Could not connect",
    "Unable to access the X Display",
    "NoSuchDisplayException",
    "No X11 DISPLAY variable was set",
    "No available video device",
    "Can't open X display",
    "unable to start device X11",
)


def _wordings(display: str) -> tuple[str, ...]:
    return tuple(words.replace("{d}", display) for words in _WORDS)


_CONTAINER = ("docker", "podman", "apptainer", "singularity", "/.dockerenv", "root@{hex}:/")
_JOB = ("slurm", "sbatch", "srun", "qsub", "pbs", "bsub", "condor", "job id", "job_id", "node{n}", "compute")
_TMUX = ("tmux", "byobu", "screen -r")
_JUPYTER = ("jupyter", "ipykernel", "notebook", "<ipython-input")

MESSAGES = (
    row(
        *_wordings("localhost:{n}"),
        *_wordings("127.0.0.1:{n}"),
        along=_CONTAINER,
        ids={
            "container-network": "the container's localhost is not the host's",
            "tmux-stale-display": "or DISPLAY is older than this login",
        },
    ),
    row(
        *_wordings("localhost:{n}"),
        *_wordings("127.0.0.1:{n}"),
        along=_JOB,
        ids={
            "batch-inherits-display": "DISPLAY is the login node's, and localhost is another host here",
            "slurm-no-x11": "under Slurm: ask for X11 with --x11",
            "tmux-stale-display": "or DISPLAY is older than this login",
        },
    ),
    row(
        *_wordings("localhost:0"),
        ids={
            "start-file-overwrites-display": "sshd gives 10 and up: a start file has set DISPLAY",
            "local-display-tcp-not-listening": "on the desktop itself: X servers do not listen on TCP",
        },
    ),
    row(
        *_wordings("localhost:{n}"),
        *_wordings("127.0.0.1:{n}"),
        "Display localhost:{n}.{n} unavailable",
        "Display localhost:{n}.{n} can't be opened",
        ids={
            "tmux-stale-display": "DISPLAY is of an earlier login, as in tmux and screen",
            "untrusted-20-minutes": "20 minutes after login: untrusted forwarding takes no more windows",
            "batch-inherits-display": "in a job: localhost is another host there",
            "container-network": "in a container: localhost is another one there",
            "ide-remote-stale-display": "in an IDE: its server is older than this connection",
            "transport-without-x11": "under mosh: DISPLAY is of the ssh that started it",
            "sshd-localhost-v6-only": "localhost does not lead to sshd's listener",
            "ssh-background-race": "the session that the display belonged to has ended",
            "local-display-dead": "or the screen at the other end is gone",
            "remote-display-dead": "nothing answers behind DISPLAY",
            "quiet-hides-everything": "ssh's own message is hidden by -q or LogLevel",
        },
    ),
    row(
        *_wordings("{ip}:"),
        ids={
            "wsl2-display-points-at-windows": "DISPLAY holds an address, as old recipes for WSL 2 do",
            "start-file-overwrites-display": "inside ssh: a start file has set DISPLAY",
        },
    ),
    row(
        *_wordings("{h}:{n}.0"),
        along=_JOB,
        ids={"batch-inherits-display": "the node does not reach the login node's display, or it is gone"},
    ),
    row(
        *_wordings("{h}:{n}.0"),
        ids={
            "sshd-uselocalhost-no-hostname": "DISPLAY holds the server's name, which nobody resolves",
            "start-file-overwrites-display": "or a start file has set DISPLAY",
            "sendenv-display": "or it was sent along from the desktop",
        },
    ),
    row(
        *_wordings(":{n}"),
        along=("wsl", "/mnt/c/"),
        ids={
            "wslg-socket-missing": "the link to WSLg's socket is broken",
            "start-file-overwrites-display": "inside ssh: a start file has set DISPLAY",
        },
    ),
    row(
        *_wordings(":{n}"),
        ids={
            "start-file-overwrites-display": "inside ssh: a start file or recipe has set DISPLAY",
            "xquartz-display-overridden": "on a Mac: DISPLAY must not be set by hand",
            "wslg-socket-missing": "under WSL: the link to WSLg's socket is broken",
            "local-display-dead": "on the desktop itself: no X server has this number",
            "sendenv-display": "inside ssh: DISPLAY was sent along",
        },
    ),
    row(
        "no display name and no $DISPLAY environment variable",
        *_wordings(""),
        *_SILENT,
        along=_JUPYTER,
        ids={
            "jupyter-kernel-display": "the kernel has the environment of the Jupyter server",
            "local-display-unset": "or the login has no X11",
        },
    ),
    row(
        *_wordings(""),
        along=_TMUX,
        ids={
            "hardening-auto-tmux": "the login itself runs in a tmux that got no DISPLAY",
            "tmux-stale-display": "panes keep the environment in which they were made",
        },
    ),
    row(
        "no display name and no $DISPLAY environment variable",
        "cannot connect to X server",
        "DISPLAY is not set",
        "DISPLAY environment variable is not set",
        "no DISPLAY environment variable specified",
        "$DISPLAY is empty",
        "no $DISPLAY",
        ids={
            "local-display-unset": "this machine has no DISPLAY, so ssh asked for no X11",
            "ssh-no-x11-request": "ssh was called without -X or -Y",
            "jupyter-kernel-display": "in a notebook: the kernel has another environment",
            "mux-master-without-x11": "an open connection without X11 was reused",
            "su-dash-loses-display": "after `su -` or `sudo -i`: the environment is new",
            "jump-second-hop": "on a second host: each hop must ask for X11",
            "ssh-config-says-no": "the configuration says no after all",
            "wsl-exec-without-rc": "under WSL: DISPLAY is set in a start file that was not read",
            "ide-remote-stale-display": "in an IDE: its server is older than this connection",
            "transport-without-x11": "under mosh: it carries a terminal only",
            "session-without-display": "this session has no display, and nothing says why",
            "xquartz-missing": "on a Mac: there is no XQuartz",
            "mpl-no-display-silent": "in matplotlib's automatic choice the same is silent",
            "snap-flatpak-app": "in a snap or flatpak: it may not see the display",
        },
    ),
    row(
        *_wordings(""),
        *_SILENT,
        ids={
            "ssh-no-x11-request": "DISPLAY is empty: ssh was called without -X or -Y",
            "local-display-unset": "or this machine had no DISPLAY when ssh started",
            "wayland-no-xwayland": "on the desktop itself: Wayland without Xwayland",
            "mux-master-without-x11": "an open connection without X11 was reused",
            "su-dash-loses-display": "after `su -` or `sudo -i`: the environment is new",
            "hardening-auto-tmux": "in a tmux that the login starts by itself",
            "start-file-overwrites-display": "a start file has changed DISPLAY",
            "session-without-display": "this session has no display, and nothing says why",
            "snap-flatpak-app": "in a snap or flatpak: it may not see the display",
        },
    ),
)
