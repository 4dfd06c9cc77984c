"""Runs tests of what is sent without pytest, in any Python from 3.6: `python anywhere.py ROOT MODULE...`.

The tests here and in `remote` are plain functions without arguments in the syntax of 3.6, so that what is
sent to the remote is tested in the Pythons that it will meet there. `raises` is their pytest.raises.
"""

import importlib
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Type


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


def run(root: Path, names: List[str]) -> int:
    """Run the named modules of tests/unit/bridge (`shared.test_wire`); the number of tests that passed."""
    sys.path.insert(0, str(root))
    passed = 0
    for name in names:
        module = importlib.import_module("tests.unit.bridge." + name)
        for found in sorted(vars(module)):
            if found.startswith("test_"):
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
