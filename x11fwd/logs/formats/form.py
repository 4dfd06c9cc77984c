"""What a format is; the formats and the reader import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.logs.rows import Row

__all__ = ["Form"]


class Form:
    """One way of writing training logs.

    `parse` is pure: it may look at what `observe` has seen, and changes nothing, so that it can be asked
    about lines that were never written.
    """

    name = ""  # kebab-case, for `--try` and JSON
    title = ""  # for a person
    longest = (
        2048  # characters; what is longer is none of it, and a regular expression would take long to say so
    )

    repeats = True  # a row means the same wherever it stands; False where a later row is counted from it

    def observe(self, line: str) -> bool:
        """Take note of a header; True where the line is one and holds no row."""
        del line
        return False

    def parse(self, line: str) -> Row | None:
        """The row of a line without its line end, None where the line is none of this format."""
        raise NotImplementedError
