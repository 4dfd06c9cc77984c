"""What a check is: the facts it looks at and its verdict; imported by the check modules and the table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from shlex import join, quote
from typing import TYPE_CHECKING

from x11fwd.checks.report import Finding, Fix, FixBy, Side, Status
from x11fwd.facts.model import LocalFacts, MatplotlibFacts, PythonFacts, RemoteFacts, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.facts.silence import SilenceFacts
    from x11fwd.target import Target

__all__ = [
    "Aim",
    "Check",
    "Link",
    "Seen",
    "Unanswered",
    "Verdict",
    "bad",
    "fine",
    "milliseconds",
    "odd",
    "skip",
    "unknown",
]


@dataclass(frozen=True)
class Aim:
    """A target as a person would type it again, quoted for a shell, with the ssh options given beside it.

    Attributes:
        words: after `x11fwd doctor` and the like.
        ssh_words: after `ssh` and `x11fwd ssh`, which do not take `host:port`.
        python: the interpreter that was asked for with `--python`; none given if empty.
    """

    words: str
    ssh_words: str
    python: str = ""

    @classmethod
    def of(cls, target: Target, python: str | None = None) -> Aim:
        """The words for a target."""
        return cls(
            join((*target.options.argv(), target.typed)),
            join(word for word in target.ssh_argv() if word != "--"),
            python or "",
        )

    @property
    def with_python(self) -> str:
        """`words` for doctor, setup and verify, which are to look at the same interpreter again."""
        return f"--python {quote(self.python)} {self.words}" if self.python else self.words


@dataclass(frozen=True)
class Seen:
    """Everything the checks may look at.

    Attributes:
        local: this machine.
        remote: the other one; None where none was asked for or no connection came about.
        host: the remote's short name for sentences ("gpu1").
        target: what the user typed, for commands ("ana@gpu1"); None for this machine alone.
        connected: False where no connection came about.
        refusal: why there are no facts of the remote, as one sentence; None where there are.
        refusal_hint: what to do about that.
        aim: the target taken apart; None where there is none.
        route: how the connection was made and why ("paramiko: …"), for evidence.
        inside: x11fwd runs on the remote itself, in a session of ssh: `remote` is this machine, and
            nothing is known of the one with the screen.
        silence: what runs over there instead of our commands; None where they run.
    """

    local: LocalFacts
    remote: RemoteFacts | None = None
    host: str = "the remote"
    target: str | None = None
    connected: bool = True
    refusal: str | None = None
    refusal_hint: str = ""
    route: str = ""
    aim: Aim | None = None
    inside: bool = False
    silence: SilenceFacts | None = None

    @property
    def there(self) -> RemoteFacts:
        """The remote's facts.

        Raises:
            Unanswered: there is no connection; the check's finding becomes a `skip`.
        """
        if self.remote is None:
            raise Unanswered(skip("not looked at: there is no connection"))
        return self.remote

    @property
    def python(self) -> PythonFacts:
        """The interpreter a user's script would get. Raises Unanswered where there is none."""
        python = self.there.python
        if python is None:
            raise Unanswered(skip(f"not looked at: no Python on {self.host}"))
        return python

    @property
    def matplotlib(self) -> MatplotlibFacts:
        """matplotlib of that interpreter. Raises Unanswered where it is missing or nobody could look."""
        matplotlib = self.python.matplotlib
        if isinstance(matplotlib, Unknown):
            raise Unanswered(unknown(f"what matplotlib does on {self.host}", matplotlib.reason))
        if matplotlib.version is None:
            raise Unanswered(skip(f"not looked at: no matplotlib on {self.host}"))
        return matplotlib

    @property
    def name(self) -> str:
        """The target for doctor, setup and verify, with the options that were given beside it."""
        return self.aim.with_python if self.aim else quote(self.target or self.host)

    @property
    def destination(self) -> str:
        """The same for a command line of ssh, which does not take `host:port`."""
        return self.aim.ssh_words if self.aim else quote(self.target or self.host)

    @property
    def setup(self) -> Fix:
        """The cure for everything that `x11fwd setup` can plan."""
        return Fix(f"x11fwd setup {self.name}", FixBy.X11FWD)


class Unanswered(Exception):
    """The facts that a check asks for are not there; `verdict` is what the check says then."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.title)
        self.verdict = verdict


@dataclass(frozen=True)
class Verdict:
    """What one check says; the table adds its id and side."""

    status: Status
    title: str
    evidence: str = ""
    fix: Fix | None = None


def fine(title: str, evidence: str = "") -> Verdict:
    """The claim holds."""
    return Verdict(Status.PASS, title, evidence)


def bad(title: str, evidence: str = "", fix: Fix | None = None) -> Verdict:
    """The claim does not hold, and no window will come."""
    return Verdict(Status.FAIL, title, evidence, fix)


def odd(title: str, evidence: str = "", fix: Fix | None = None) -> Verdict:
    """Windows will come, and something will surprise the user nevertheless."""
    return Verdict(Status.WARN, title, evidence, fix)


def unknown(title: str, settle: str, fix: Fix | None = None) -> Verdict:
    """Nobody could look; `settle` says what would answer the question."""
    return Verdict(Status.UNKNOWN, title, settle, fix)


def skip(title: str, evidence: str = "") -> Verdict:
    """The question does not arise here."""
    return Verdict(Status.SKIP, title, evidence)


class Link(Enum):
    """The links of the chain from this screen to a window, in the order in which they are made.

    A check that breaks a link explains every later failure that needs it.
    """

    DISPLAY = "an X server here answers and lets us in"
    REQUEST = "ssh asks for X11, and can show a cookie for it"
    CONNECTION = "somebody over there runs our commands"
    SWITCH = "no line of sshd's files switches X11 off before others are read"
    GRANT = "sshd grants the request"
    RELOAD = "the running sshd has read its files"
    COOKIE = "a program over there finds the cookie that sshd stored"
    REACH = "the DISPLAY of a program over there leads to sshd's listener"
    TOOLKIT = "Python over there has a GUI toolkit that works"
    BACKEND = "matplotlib is asked for a window"


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        id: slug of the failure catalogue.
        side: where the thing stands that is looked at.
        look: a pure function of the facts; may raise, which becomes an `unknown` finding.
        breaks: the link that is broken where this one fails; None where windows come nevertheless, or
            where it is itself only a symptom.
        needs: links and ids whose failure explains a failure of this one.
        shown: True for a claim worth a line although it holds; the others are shown with `-v` only.
    """

    id: str
    side: Side
    look: Callable[[Seen], Verdict]
    breaks: Link | None = None
    needs: tuple[Link | str, ...] = ()
    shown: bool = False

    def finding(self, seen: Seen) -> Finding:
        """Look, and never raise: a check that crashes is one more thing that nobody knows."""
        try:
            verdict = self.look(seen)
        except Unanswered as answer:
            verdict = answer.verdict
        except Exception as error:  # noqa: BLE001  one broken check must not hide the others
            words = f"{type(error).__name__}: {error}"
            verdict = unknown(f"the check {self.id} itself failed", f"{words}; please report it")
        return Finding(self.id, self.side, verdict.status, verdict.title, verdict.evidence, None, verdict.fix)


def milliseconds(seconds: float) -> str:
    """A short time for a person: `0.4 ms`, `12 ms`."""
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"
