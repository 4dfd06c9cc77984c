"""Python dictionaries as the Hugging Face Trainer prints them, alone or behind a bar; used by the table."""

from __future__ import annotations

import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.lines import LONGEST
from x11fwd.logs.numbers import NUMBER, place
from x11fwd.logs.rows import Row

_DICT = re.compile(r"\{'[^{}]*\}\s*$")
# since Transformers 5 the numbers are texts: {'loss': '0.5', …}; numpy 2 writes np.float64(0.5)
_PAIR = re.compile(rf"'([^']{{1,200}})':\s*(?:'|np\.\w+\(|tensor\()?({NUMBER})(?=[',\s}})])")


class PythonDict(Form):
    name = "python-dict"
    title = "Python dictionaries (Hugging Face Trainer)"
    longest = LONGEST

    def parse(self, line: str) -> Row | None:
        found = _DICT.search(line) if "{'" in line else None
        if found is None:
            return None
        row = Row({}, {})
        for name, number in _PAIR.findall(found.group()):
            place(row.axes, row.values, name, float(number))
        return row if row.values else None
