"""A log's bytes into blocks of rows, whatever its format and however often that changes; for the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.logs.formats import new_forms
from x11fwd.logs.formats.bars import Tqdm
from x11fwd.logs.lines import Lines
from x11fwd.logs.rows import RowBuilder
from x11fwd.logs.template import Template, learn, skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        text = text.lstrip("\n")  # a bar begins with a carriage return
        for template, name in self._templates[:2]:
            block = template.read_all(text)
            if block is not None:
                self.counts[name] = self.counts.get(name, 0) + len(block)
                return [block]
        at = 0
        while at < len(text):
            at = self._run_of_known(text, at) or self._one_line(text, at)
        return self._builder.take()

    def _run_of_known(self, text: str, at: int) -> int:
        """Read as many lines of one known shape as there are; 0, or where they end."""
        for place, (template, name) in enumerate(self._templates):
            end = template.end_of_run(text, at)
            if end == at:
                continue
            if place:
                self._templates.insert(0, self._templates.pop(place))
            lines = text[at:end]
            block = template.read(lines)
            if block is None:
                for line in lines.split("\n")[:-1]:
                    self._slowly(line)
            else:
                self.counts[name] = self.counts.get(name, 0) + len(block)
                self._builder.add_block(block)
            return end
        return 0

    def _one_line(self, text: str, at: int) -> int:
        """Read a line of unknown shape, and learn it where it has come before; where the next one begins."""
        end = text.index("\n", at)
        line = text[at:end]
        if line and not line.isspace():
            form = self._slowly(line)
            if (
                form is not None
                and self._worth_learning(line)
                and (new := learn(line, form.parse)) is not None
            ):
                self._templates.insert(0, (new, form.name))
                del self._templates[_TEMPLATES:]
        return end + 1

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
