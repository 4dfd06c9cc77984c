"""What `x11fwd doctor --json` said, taken apart; the truth table's rig and rows use it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.lab.host import Ran

SEVERE = ("fail", "warn")
CODES = (0, 1, 3)  # what doctor may end with once it has written a document


@dataclass(frozen=True)
class Said:
    """One finding of a document; `status` is `pass`, `fail`, `warn`, `unknown` or `skip`."""

    id: str
    side: str
    status: str
    title: str
    evidence: str
    cause: str | None
    fix: str  # the command to type, empty where there is none

    @property
    def text(self) -> str:
        """Title, evidence and cure in one, to search in."""
        return "\n".join((self.title, self.evidence, self.fix))

    def __str__(self) -> str:
        under = f"  <- {self.cause}" if self.cause else ""
        return f"{self.status:<7} {self.id}{under}: {self.title} | {self.evidence}"


@dataclass(frozen=True)
class Diagnosis:
    """One run of doctor.

    Attributes:
        cause: id of the first broken link, None where nothing is broken.
        code: exit status.
        raw: standard output as it was.
        err: standard error.
    """

    cause: str | None
    code: int
    findings: tuple[Said, ...]
    raw: str = field(repr=False, default="")
    err: str = field(repr=False, default="")

    @classmethod
    def of(cls, ran: Ran) -> Diagnosis:
        """Read a run's document; an AssertionError where it is none, or where it contradicts itself."""
        said = f"exit {ran.rc}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        assert "Traceback" not in ran.stderr, said
        assert ran.rc in CODES, said
        try:
            document = json.loads(ran.stdout)
        except ValueError as error:
            raise AssertionError(f"not JSON: {error}; {said}") from error
        assert document["schema"] == "x11fwd.report/1", said
        assert document["exit_code"] == ran.rc, said
        assert document["ok"] == (ran.rc == 0), said
        findings = tuple(
            Said(
                one["id"],
                one["side"],
                one["status"],
                one["title"],
                one["evidence"],
                one["cause"],
                (one["fix"] or {}).get("command", ""),
            )
            for one in document["findings"]
        )
        self = cls(document["cause"], ran.rc, findings, ran.stdout, ran.stderr)
        assert (ran.rc != 0) == bool(self.failures), f"exit {ran.rc} with\n{self}"
        return self

    def finding(self, name: str) -> Said:
        """The finding of an id; an AssertionError that lists what there is where it is missing."""
        for one in self.findings:
            if one.id == name:
                return one
        raise AssertionError(f"no finding {name} in\n{self}")

    @property
    def statuses(self) -> dict[str, str]:
        """Status by id."""
        return {one.id: one.status for one in self.findings}

    @property
    def failures(self) -> tuple[str, ...]:
        """Ids that FAIL, folded ones too, in the order of the chain."""
        return tuple(one.id for one in self.findings if one.status == "fail")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Ids that WARN."""
        return tuple(one.id for one in self.findings if one.status == "warn")

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Ids of which nobody knows."""
        return tuple(one.id for one in self.findings if one.status == "unknown")

    @property
    def roots(self) -> tuple[str, ...]:
        """Ids that FAIL or WARN and that nothing else explains."""
        return tuple(one.id for one in self.findings if one.status in SEVERE and one.cause is None)

    def under(self, name: str) -> tuple[str, ...]:
        """Ids that are folded under one."""
        return tuple(one.id for one in self.findings if one.cause == name)

    def show(self, statuses: Iterable[str] = ("fail", "warn", "unknown")) -> str:
        """The findings of these statuses, a line each."""
        lines = [str(one) for one in self.findings if one.status in set(statuses)]
        return "\n".join([f"cause {self.cause}, exit {self.code}", *lines, self.err.strip()])

    def __str__(self) -> str:
        return self.show()

    def assert_clean(self) -> None:
        """Nothing FAILs, nothing WARNs, there is no cause."""
        wrong = (self.cause, self.failures, self.warnings, self.code)
        assert wrong == (None, (), (), 0), f"not clean:\n{self}"
