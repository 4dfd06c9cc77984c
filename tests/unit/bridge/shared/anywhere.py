"""Runs tests of what is sent without pytest, in any Python from 3.6: `python anywhere.py ROOT MODULE...`.

The tests here and in `remote` are plain functions without arguments in the syntax of 3.6, so that what is
sent to the remote is tested in the Pythons that it will meet there. `raises` is their pytest.raises, and
`times` says how often they try at random.
"""

import importlib
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List, Type


@contextmanager
def raises(kind: Type[BaseException], text: str) -> Iterator[None]:
    """The block must raise `kind` with a message in which the pattern `text` is found."""
    try:
        yield
    except kind as error:
        if re.search(text, str(error)):
            return
        raise AssertionError("%r is not in %r" % (text, str(error))) from error
    raise AssertionError("nothing raised, expected %s" % kind.__name__)


def times(count: int) -> int:
    """How often a test tries at random: in full where X11FWD_TEST_SHARE does not say by what to divide it.

    What is random is the same in all Pythons. In one of them everything is tried.
    """
    return max(1, count // int(os.environ.get("X11FWD_TEST_SHARE", "1")))


def of_the_text(test: Callable[[], None]) -> Callable[[], None]:
    """Marks a test of what readers see, which the program that is sent has not."""
    test.of_the_text = True  # type: ignore[attr-defined]
    return test


def use_sent(root: Path) -> bool:
    """Let modules be the program that is sent, where the root has it; its first line names them."""
    path = root / "x11fwd_half.py"
    if not path.exists():
        return False
    half = importlib.import_module("x11fwd_half")
    for name in path.read_text().partition("\n")[0].split()[1:]:
        sys.modules[name] = half
    return True


def run(root: Path, names: List[str]) -> int:
    """Run the named modules of tests/unit/bridge (`shared.test_wire`); the number of tests that passed."""
    sys.path.insert(0, str(root))
    sent = use_sent(root)
    passed = 0
    for name in names:
        module = importlib.import_module("tests.unit.bridge." + name)
        for found in sorted(vars(module)):
            left_out = sent and hasattr(getattr(module, found), "of_the_text")
            if found.startswith("test_") and not left_out:
                try:
                    getattr(module, found)()
                except BaseException:
                    sys.stderr.write("%s.%s:\n" % (name, found))
                    raise
                passed += 1
    return passed


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    print(run(Path(sys.argv[1]), sys.argv[2:]))
