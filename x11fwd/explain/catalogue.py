"""Which ids there are: the codes of the failure catalogue, and what no check can see; for explain."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ADVICE", "CODES", "SECTIONS", "Section", "code_of", "id_of", "near"]


@dataclass(frozen=True)
class Section:
    """One part of the way from the screen to the plot.

    Attributes:
        first: number of the first code, F1 and so on; the codes of a section follow each other.
        ids: in the order of their codes.
    """

    title: str
    first: int
    ids: tuple[str, ...]


SECTIONS: tuple[Section, ...] = (
    Section(
        "The screen of this machine",
        1,
        (
            "local-display-unset",
            "local-display-dead",
            "local-display-tcp-not-listening",
            "local-display-bad-chars",
            "local-xauthority-wrong",
            "wayland-no-xwayland",
            "xwayland-no-cookie-file",
            "xwayland-cookie-not-exported",
            "xquartz-missing",
            "xquartz-no-logout",
            "xquartz-display-overridden",
            "xquartz-background-item-off",
            "xquartz-start-fails-other",
            "xquartz-xauth-hang",
            "xquartz-xauthlocation-lost",
            "xquartz-cookie-after-wake",
            "xquartz-prefs-domain",
            "xquartz-indirect-glx",
            "xquartz-network-clients",
            "wslg-socket-missing",
            "wslg-no-cookie",
            "wsl2-display-points-at-windows",
            "wsl-exec-without-rc",
            "windows-openssh-askpass",
            "windows-xauth-unix-name",
            "windows-unix-socket",
            "putty-proxy-auth",
            "x-server-client-limit",
        ),
    ),
    Section(
        "The ssh client and the connection",
        29,
        (
            "ssh-no-x11-request",
            "ssh-config-says-no",
            "local-xauth-missing-trusted",
            "untrusted-no-xauth-data",
            "untrusted-security-extension",
            "untrusted-20-minutes",
            "untrusted-app-denied",
            "debian-trusted-by-default",
            "mux-master-without-x11",
            "mux-master-other-display",
            "mux-max-sessions",
            "jump-second-hop",
            "gateway-not-passing-x11",
            "quiet-hides-everything",
            "ssh-background-race",
            "ssh-hangs-at-exit",
            "transport-without-x11",
            "ide-remote-stale-display",
            "sendenv-display",
            "forwardx11-for-all-hosts",
        ),
    ),
    Section(
        "sshd on the remote",
        49,
        (
            "sshd-x11forwarding-no",
            "sshd-match-block",
            "sshd-dropin-wins",
            "sshd-append-lands-in-match",
            "sshd-append-breaks-daemon",
            "sshd-config-syntax",
            "sshd-not-reloaded",
            "sshd-unit-name",
            "sshd-disableforwarding",
            "remote-xauth-missing",
            "sshd-xauthlocation",
            "sshd-ipv6-off",
            "sshd-localhost-v6-only",
            "sshd-ports-exhausted",
            "sshd-offset-out-of-range",
            "sshd-uselocalhost-no-hostname",
            "sshd-uselocalhost-no-exposed",
            "key-no-x11",
            "forced-command",
            "no-shell-account",
            "selinux-blocks-xauth",
            "server-not-openssh",
            "sshd-t-needs-root",
            "hardening-auto-tmux",
        ),
    ),
    Section(
        "Your account on the remote",
        73,
        (
            "home-read-only",
            "home-full-or-quota",
            "home-missing",
            "xauthority-owned-by-root",
            "xauthority-stale-lock",
            "xauthority-is-a-directory",
            "xauthority-env-override",
            "ssh-rc-eats-cookie",
            "hostname-changed",
            "xauth-foreign-entries",
            "start-file-overwrites-display",
            "sudo-loses-cookie",
            "su-dash-loses-display",
            "tmux-stale-display",
            "tmux-number-reused",
            "container-network",
            "container-cookie",
            "snap-flatpak-app",
            "slurm-no-x11",
            "batch-inherits-display",
            "login-shell-not-posix",
            "noisy-start-files",
            "start-file-execs-shell",
            "remote-is-macos",
            "no-tty-no-profile",
            "jupyter-kernel-display",
        ),
    ),
    Section(
        "Python and matplotlib on the remote",
        99,
        (
            "mpl-no-display-silent",
            "mpl-dead-display-agg",
            "mpl-headless-importerror",
            "mpl-rc-backend-is-only-a-wish",
            "mpl-mplbackend-wins",
            "mpl-mplbackend-from-ide",
            "mpl-backend-typo",
            "mpl-rc-precedence",
            "mpl-library-forces-agg",
            "mpl-interactive-true",
            "mpl-no-gui-loop",
            "mpl-thread",
            "mpl-config-dir",
            "tk-missing-distro-python",
            "tk-missing-built-python",
            "tk-wrong-package",
            "tk-uv-standalone",
            "libx11-missing",
            "conda-tk-fonts",
            "qt-plugin-libs",
            "qt-no-display",
            "opencv-qt-conflict",
            "qt-platform-variable",
            "qt-glx",
            "qt-binding-missing",
            "tk-emoji-crash",
            "mit-shm-in-container",
            "noise-not-failure",
        ),
    ),
    Section(
        "Slow, and cut off",
        127,
        (
            "tk-256-round-trips",
            "tk-update-round-trips",
            "no-compression",
            "display-slows-batch",
            "opengl-3d-forwarded",
            "laptop-sleep",
            "x-server-died",
            "rig-xvfb-regeneration",
        ),
    ),
)

CODES: dict[str, str] = {
    f"F{section.first + number:02}": one for section in SECTIONS for number, one in enumerate(section.ids)
}
_OF = {one: code for code, one in CODES.items()}

# Ids without a check, each with the reason; `x11fwd doctor` cannot see them, the page is all there is.
ADVICE: dict[str, str] = {
    "display-slows-batch": "only the program knows whether its figures shall be seen",
    "mpl-no-gui-loop": "it is in the program's own loop",
    "mpl-thread": "it is in the program's own threads",
    "noise-not-failure": "nothing is wrong",
    "plot-window": "`x11fwd verify TARGET` finds it by drawing a plot",
    "putty-proxy-auth": "PuTTY and MobaXterm keep their cookies to themselves",
    "rig-xvfb-regeneration": "it concerns tests with Xvfb only",
    "ssh-hangs-at-exit": "it is how ssh works",
    "sshd-unit-name": "it concerns the command that was typed; `x11fwd setup` knows the name",
    "supported-systems": "it says what `x11fwd setup` does on which system",
    "trust-modes": "it explains a choice",
    "untrusted-app-denied": "it is what untrusted forwarding is for",
}


def code_of(one: str) -> str | None:
    """`F58` for `remote-xauth-missing`; None for an id that the catalogue does not number."""
    return _OF.get(one)


def id_of(code: str) -> str | None:
    """`remote-xauth-missing` for `F58`, `f58` or `F058`; None for anything else."""
    number = re.fullmatch(r"[Ff]0*(\d{1,3})", code.strip())
    return CODES.get(f"F{int(number[1]):02}") if number else None


def near(typed: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three ids that somebody who typed this may have meant, best first."""
    from difflib import SequenceMatcher, get_close_matches

    word = re.sub(r"[\s_]+", "-", typed.strip().lower())
    close = get_close_matches(word, ids, n=3, cutoff=0.65)
    # parts of an id: `xauth-missing`, `tkinter` no, `mplbackend`
    inside = [one for one in ids if len(word) > 3 and word in one]
    inside.sort(key=lambda one: -SequenceMatcher(None, word, one).ratio())
    return tuple(dict.fromkeys((*close, *inside)))[:3]
