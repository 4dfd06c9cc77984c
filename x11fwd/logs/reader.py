"""A log's bytes into blocks of rows, whatever its format and however often that changes; for the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.logs.formats import new_forms
from x11fwd.logs.formats.bars import Tqdm
from x11fwd.logs.lines import Lines
from x11fwd.logs.rows import RowBuilder
from x11fwd.logs.template import Template, learn, skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.logs.formats.form import Form
    from x11fwd.logs.rows import Block, Row

__all__ = ["LogReader"]

_TEMPLATES = 6  # shapes kept ready: training rows, evaluation rows, and some more
_SHAPES = 512  # skeletons remembered
_LEARN_AT = 3  # a shape is learned when it comes this often
_TRY_AT_MOST = 4  # and given up after this often


class LogReader:
    """Incremental and pure: bytes go in, blocks come out.

    Attributes:
        counts: rows found so far, by the format's name.
        unread: lines in which nothing was recognised.
    """

    def __init__(self, forms: Sequence[Form] = ()) -> None:
        """
        Args:
            forms: only these, instead of all that are known.
        """
        self._forms = list(forms or new_forms())
        self._fixed = list(self._forms)
        self._lines = Lines()
        self._builder = RowBuilder()
        self._templates: list[tuple[Template, str]] = []
        self._shapes: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.unread = 0

    @property
    def too_long(self) -> int:
        """Lines that were dropped because they were longer than `lines.LONGEST`."""
        return self._lines.too_long

    @property
    def format(self) -> str:
        """The name of the format that speaks at the moment; empty before the first row."""
        return self._forms[0].name if self.counts else ""

    def feed(self, data: bytes) -> list[Block]:
        """What whole lines are in `data`, with what was left of earlier data."""
        return self._read(self._lines.feed(data))

    def finish(self) -> list[Block]:
        """The last line, where it has no end."""
        return self._read(self._lines.finish())

    def restart(self) -> None:
        """The file begins again: an unfinished line will never be finished."""
        self._lines.reset()

    def _read(self, text: str) -> list[Block]:
        if not text:
            return []
        count = text.count("\n")
        for template, name in self._templates:
            block = template.read(text, count)
            if block is not None:
                self.counts[name] = self.counts.get(name, 0) + count
                return [block]
        self._line_by_line(text)
        return self._builder.take()

    def _line_by_line(self, text: str) -> None:
        current: Template | None = None
        match: Callable[[str], object] = _never
        name = ""
        rows: list[tuple[str, ...]] = []
        lines: list[str] = []
        for line in text.split("\n"):
            if not line or line.isspace():
                continue
            found = match(line)
            if found is None:
                if current is not None and rows:
                    self._add(current, name, rows, lines)
                rows, lines = [], []
                current, name = self._shape_of(line)
                if current is None:
                    match = _never
                    continue
                match = current.row.fullmatch
                found = match(line)
            rows.append(found.groups())  # type: ignore[attr-defined]
            lines.append(line)
        if current is not None and rows:
            self._add(current, name, rows, lines)

    def _add(self, template: Template, name: str, rows: list[tuple[str, ...]], lines: list[str]) -> None:
        block = template.block(rows)
        if block is None:
            for line in lines:
                self._slowly(line)
            return
        self.counts[name] = self.counts.get(name, 0) + len(rows)
        self._builder.add_block(block)

    def _shape_of(self, line: str) -> tuple[Template | None, str]:
        """The template that fits, old or new; where none does the line has been read already."""
        for at, (template, name) in enumerate(self._templates):
            if template.row.fullmatch(line):
                if at:
                    self._templates.insert(0, self._templates.pop(at))
                return template, name
        form = self._slowly(line)
        if form is not None and self._worth_learning(line) and (new := learn(line, form.parse)) is not None:
            self._templates.insert(0, (new, form.name))
            del self._templates[_TEMPLATES:]
        return None, ""

    def _worth_learning(self, line: str) -> bool:
        shape = skeleton(line)
        seen = self._shapes.get(shape, 0) + 1
        if len(self._shapes) >= _SHAPES and seen == 1:
            self._shapes.clear()
        self._shapes[shape] = seen
        return _LEARN_AT <= seen < _LEARN_AT + _TRY_AT_MOST

    def _slowly(self, line: str) -> Form | None:
        row, form = self._recognise(line)
        if row is not None and form is not None:
            self._builder.add(row)
            self.counts[form.name] = self.counts.get(form.name, 0) + 1
            return form
        return None

    def _recognise(self, line: str) -> tuple[Row | None, Form | None]:
        # the header first, for every format: a restarted job may write it in the midst of anything
        headed = False
        size = len(line)
        for form in self._fixed:
            headed = (size <= form.longest and form.observe(line)) or headed
        if headed:
            self._templates.clear()
            self._shapes.clear()
            return None, None
        for at, form in enumerate(self._forms):
            row = form.parse(line) if size <= form.longest else None
            if row is None:
                continue
            if at:
                self._prefer(at, form)
            return row, form
        self.unread += 1
        return None, None

    def _prefer(self, at: int, form: Form) -> None:
        """The format of the last row is asked first, unless a more particular one could be meant."""
        if form.name in {"key-equals-value", "key-colon-value"}:
            return  # they would take lines that belong to the others
        if isinstance(form, Tqdm):
            return
        del self._forms[at]
        self._forms.insert(0, form)


def _never(line: str) -> None:
    del line
