"""Every captured answer of the probe, read into facts; the expectation stands beside it in a JSON file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest

from x11fwd.facts.answers import parse_answers
from x11fwd.facts.model import RemoteFacts, Unknown
from x11fwd.facts.parse import parse_remote
from x11fwd.transports.base import X11Outcome

CAPTURES = Path(__file__).parent / "captures"
NONCE = "0123456789abcdef01234567"
CASES = sorted(path for path in CAPTURES.glob("*/*.txt") if not path.name.startswith("local-"))


def facts_of(path: Path) -> RemoteFacts:
    return parse_remote(parse_answers(path.read_bytes(), NONCE), x11=X11Outcome())


def plain(value: object) -> object:
    """A fact as JSON would have it; what could not be asked is `{"unknown": reason}`."""
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    return value


def at(facts: object, path: str) -> object:
    for name in path.split("."):
        if isinstance(facts, list):
            facts = facts[int(name)]
        else:
            assert isinstance(facts, dict), path
            facts = facts[name]
    return facts


def like(found: object, wanted: object) -> object:
    """Only those fields of objects in lists that the expectation names: facts learn new ones."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return {name: like(found[name], wanted[name]) for name in found if name in wanted}
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        return [like(one, other) for one, other in zip(found, wanted, strict=True)]
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_captured_answer_is_read_as(path: Path) -> None:
    facts = plain(facts_of(path))
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert {name: like(at(facts, name), wanted) for name, wanted in expected.items()} == expected


def test_every_capture_has_its_expectation_and_no_secret() -> None:
    assert len(CASES) >= 12
    for path in CASES:
        text = path.read_text(encoding="utf-8")
        assert path.with_suffix(".json").exists(), path
        assert "MIT-MAGIC-COOKIE" not in text, path
