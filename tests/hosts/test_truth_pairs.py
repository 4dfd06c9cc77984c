"""Two independent faults at once: doctor names both, the first link of the chain as the cause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import TRUTH
from tests.hosts.truth import rows
from tests.hosts.truth.pairs import PAIRS, Pair
from tests.hosts.truth.rig import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
def test_both_are_named_and_the_first_link_is_the_cause(
    lab: ExitStack, record_property: Callable[[str, object], None], pair: Pair
) -> None:
    record_property(TRUTH, json.dumps(["pairs", pair.name]))
    faults = {fault.name: fault for _, fault in rows()}
    first, second = faults[pair.first], faults[pair.second]
    with Scene(first.stage) as scene:
        for fault in (first, second):
            fault.inject(scene)
            scene.there.add(fault.id)
        seen = scene.doctor()
        assert seen.cause == first.id, f"{pair.name}\n{seen}"
        for fault in (first, second):
            one = seen.finding(fault.id)
            assert one.status in {"fail", "warn"}, f"{one}\n{seen}"
            assert one.cause is None, f"{one}\n{seen}"
            assert fault.is_said(seen), f"{fault.says!r} is not in {one.text!r}"
        stray = set(seen.roots) - {first.id, second.id, *first.also, *second.also}
        assert not stray, f"{', '.join(sorted(stray))}\n{seen}"
        for fault in (second, first):
            fault.heal(scene)
        scene.restore()
        scene.doctor().assert_clean()


def test_there_are_thirty_pairs_of_rows_that_allow_it() -> None:
    faults = {fault.name: fault for _, fault in rows()}
    assert len(PAIRS) == 30
    assert len({pair.name for pair in PAIRS}) == 30
    assert [p.name for p in PAIRS if not (faults[p.first].pairs and faults[p.second].pairs)] == []
