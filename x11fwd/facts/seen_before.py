"""What matplotlib and its toolkits were on a host at the last look, kept here; for the pipeline's fleets.

The host says by a stamp (probe_stamp.py) that nothing has changed since, and is spared the imports. What is
kept is for plans: whether a display answers, and with it the backend that pyplot takes, may have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.facts.answers import Answers

__all__ = ["SeenBefore"]

_SCHEMA = "x11fwd.seen/2"
_AGE = 30 * 86400  # seconds after which a host is asked in full again
_KEY = "python.full"
_KEPT = ("tk", "qt", "grounds", "matplotlib")
_NOTHING = "?"  # asks for a stamp and equals none


class SeenBefore:
    """One host's record.

    Attributes:
        stamp: what the probe compares with.

    Args:
        folder: where the records are; made where it is needed.
        name: user, host and port, and which Python was asked for.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / (
            hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".json"
        )
        self.stamp, self._answer = self._read()

    def complete(self, answers: Answers) -> Answers:
        """The answers with what was left out of them; what was asked in full is kept for the next time."""
        lines = answers.all(_KEY)
        if not lines:
            return answers
        words = lines[0].split("\t", 2)
        try:
            found = json.loads(words[2])
            if "same" in found:
                if found["same"] != self.stamp:
                    return answers
                found.update(self._answer)
            elif isinstance(found.get("stamp"), str):
                self._keep(found["stamp"], {name: found[name] for name in _KEPT})
                return answers
        except (IndexError, KeyError, TypeError, ValueError, AttributeError):
            return answers  # no interpreter, or no answer of ours
        line = "\t".join((*words[:2], json.dumps(found)))
        return replace(answers, values={**answers.values, _KEY: (line, *lines[1:])})

    def _read(self) -> tuple[str, dict[str, object]]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            fresh = 0 <= time.time() - float(kept["time"]) < _AGE
            if kept["schema"] == _SCHEMA and fresh:
                stamp, answer = str(kept["stamp"]), {name: kept["answer"][name] for name in _KEPT}
                if stamp and all(letter.isalnum() or letter == "-" for letter in stamp):
                    return stamp, answer
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return _NOTHING, {}

    def _keep(self, stamp: str, answer: dict[str, dict[str, object]]) -> None:
        """Only what works: a fault may have a cause that no file shows."""
        plots = answer["matplotlib"]
        if plots.get("problem") or plots.get("backend_problem") or not plots.get("rc_file"):
            return
        if answer["tk"].get("problem") or answer["qt"].get("problem"):
            return
        kept = {"schema": _SCHEMA, "time": time.time(), "stamp": stamp, "answer": answer}
        temporary = self._file.with_suffix(f".{os.getpid()}.new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with open(number, "w", encoding="utf-8") as file:
                    json.dump(kept, file)
                temporary.replace(self._file)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError:
            return  # it is asked in full the next time, too
