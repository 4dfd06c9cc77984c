"""Thirty pairs of faults from different links of the chain, by the names of their rows; test_truth_pairs.py.

Doctor names both, neither folded under the other; the first link of the chain that broke is the cause.
"""

from __future__ import annotations

from dataclasses import dataclass

DEAD = "F02-local-display-dead"
TCP = "F03-local-display-tcp-not-listening"
COOKIE = "F05-local-xauthority-wrong"
OFF = "F49-sshd-x11forwarding-no"
MATCH = "F50-sshd-match-block"
DROP_IN = "F51-sshd-dropin-wins"
APPENDED = "F52-sshd-append-lands-in-match"
DISABLED = "F57-sshd-disableforwarding"
NO_XAUTH = "F58-remote-xauth-missing"
OTHER_XAUTH = "F59-sshd-xauthlocation"
OFFSET = "F63-sshd-offset-out-of-range"
KEY = "F66-key-no-x11"
LOCK = "F77-xauthority-stale-lock"
FOLDER = "F78-xauthority-is-a-directory"
OVERRIDE = "F79-xauthority-env-override"
RC = "F80-ssh-rc-eats-cookie"
DISPLAY = "F83-start-file-overwrites-display"


@dataclass(frozen=True)
class Pair:
    """Two rows; `first` stands before `second` in the chain and is the cause."""

    first: str
    second: str

    @property
    def name(self) -> str:
        """`F02+F49`."""
        return "+".join(row.partition("-")[0] for row in (self.first, self.second))


PAIRS: tuple[Pair, ...] = (
    Pair(DEAD, OFF),
    Pair(DEAD, MATCH),
    Pair(DEAD, KEY),
    Pair(DEAD, NO_XAUTH),
    Pair(DEAD, LOCK),
    Pair(DEAD, DISPLAY),
    Pair(TCP, DROP_IN),
    Pair(TCP, DISABLED),
    Pair(TCP, RC),
    Pair(TCP, OVERRIDE),
    Pair(COOKIE, OFF),
    Pair(COOKIE, APPENDED),
    Pair(COOKIE, OTHER_XAUTH),
    Pair(COOKIE, KEY),
    Pair(COOKIE, FOLDER),
    Pair(COOKIE, DISPLAY),
    Pair(OFF, LOCK),
    Pair(OFF, RC),
    Pair(OFF, DISPLAY),
    Pair(MATCH, FOLDER),
    Pair(MATCH, OVERRIDE),
    Pair(DROP_IN, DISPLAY),
    Pair(DROP_IN, LOCK),
    Pair(DISABLED, RC),
    Pair(NO_XAUTH, FOLDER),
    Pair(NO_XAUTH, DISPLAY),
    Pair(OTHER_XAUTH, LOCK),
    Pair(KEY, RC),
    Pair(KEY, OVERRIDE),
    Pair(KEY, DISPLAY),
)
