"""YAML read as nodes that know their file and line; imported by this package only.

yaml.compose with SafeLoader builds no Python objects at all, so `yes` stays the word that was written and
no tag can run anything; each reader here says what it wanted, of which key, at which line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml  # noqa: TID251  this package is the one that may

from x11fwd.errors import PlaybookError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Place", "read_document"]


@dataclass(frozen=True)
class Place:
    """One node of a document, and the words for it (`steps[2].when`)."""

    node: yaml.Node
    file: str
    name: str

    @property
    def line(self) -> int:
        return self.node.start_mark.line + 1

    def error(self, message: str, *, hint: str = "") -> PlaybookError:
        """The error to raise about this node."""
        return PlaybookError(message, file=self.file, line=self.line, hint=hint)

    # --- kinds -------------------------------------------------------------------------------------------

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def text(self) -> str:
        """A scalar as it was written: `yes`, `8.2` and `"yes"` are all words.

        Raises:
            PlaybookError: it is a list, a mapping, or nothing at all.
        """
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"`{self.name}` must be one word or text, not {self._kind()}")
        if self.node.tag == "tag:yaml.org,2002:null":
            raise self.error(f"`{self.name}` is empty")
        return str(self.node.value)

    def line_text(self) -> str:
        """A scalar without line breaks or control characters."""
        text = self.text()
        if not text.strip() or any(ord(character) < 32 for character in text):
            raise self.error(f"`{self.name}` must be one line of text")
        return text

    def flag(self) -> bool:
        """`true` or `false` (YAML 1.1 also spells them yes, no, on, off)."""
        word = self.text().lower() if isinstance(self.node, yaml.ScalarNode) else ""
        if word in {"true", "yes", "on"}:
            return True
        if word in {"false", "no", "off"}:
            return False
        raise self.error(f"`{self.name}` must be true or false")

    def items(self) -> tuple[Place, ...]:
        """The members of a list.

        Raises:
            PlaybookError: it is no list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"`{self.name}` must be a list, not {self._kind()}")
        return tuple(
            Place(child, self.file, f"{self.name}[{index}]") for index, child in enumerate(self.node.value)
        )

    def texts(self) -> tuple[str, ...]:
        """A list of words with at least one member."""
        words = tuple(item.line_text() for item in self.items())
        if not words:
            raise self.error(f"`{self.name}` is an empty list")
        return words

    def entries(self) -> tuple[tuple[str, Place], ...]:
        """The entries of a mapping in order; every key a word, none twice.

        Raises:
            PlaybookError: no mapping, a key that is no word, or a key for the second time.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"`{self.name}` must be a mapping of keys to values, not {self._kind()}")
        seen: dict[str, int] = {}
        found: list[tuple[str, Place]] = []
        for key, value in self.node.value:
            here = Place(key, self.file, f"a key of {self.name}")
            word = here.line_text()
            if word in seen:
                raise here.error(f"`{word}` stands twice (first on line {seen[word]})")
            seen[word] = here.line
            found.append((word, Place(value, self.file, f"{self.name}.{word}" if self.name else word)))
        return tuple(found)

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Place]:
        """The entries of a mapping whose keys are fixed.

        Raises:
            PlaybookError: a key that is not in either list, or a required one that is missing.
        """
        fields = dict(self.entries())
        allowed = [*required, *optional]
        for key in self._keys():
            if key.text() not in allowed:
                whole = f" in `{self.name}`" if self.name else ""
                raise key.error(
                    f"unknown key `{key.text()}`{whole}", hint=f"known keys: {', '.join(sorted(allowed))}"
                )
        for key_name in required:
            if key_name not in fields:
                where = f"`{self.name}`" if self.name else "the file"
                raise self.error(f"{where} has no `{key_name}`")
        return fields

    def _keys(self) -> Iterator[Place]:
        for key, _ in self.node.value:
            yield Place(key, self.file, f"a key of {self.name}")

    def _kind(self) -> str:
        if isinstance(self.node, yaml.MappingNode):
            return "a mapping"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return f"`{self.node.value}`" if self.node.value else "nothing"


def _compose(text: str) -> yaml.Node | None:
    """libyaml where PyYAML was built with it: ten times faster, and there are many families."""
    quick = getattr(yaml, "CSafeLoader", None)
    if quick is not None:
        try:
            return yaml.compose(text, Loader=quick)
        except (yaml.YAMLError, RecursionError):
            pass  # the other one says better what is wrong, and where
    return yaml.compose(text, Loader=yaml.SafeLoader)


def read_document(path: Path, schema: str) -> Place:
    """The root mapping of one YAML file with `schema:` as its first word.

    Raises:
        PlaybookError: unreadable, not YAML, more than one document, or another schema.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PlaybookError(f"cannot be read: {reason}", file=file, line=1) from None
    except UnicodeDecodeError:
        raise PlaybookError("is not UTF-8 text", file=file, line=1) from None
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise PlaybookError(f"is not YAML: {error.problem}", file=file, line=line) from None
    except yaml.YAMLError as error:  # characters that YAML forbids have a position, no mark
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise PlaybookError("is not YAML: holds a forbidden character", file=file, line=line) from None
    except RecursionError:
        raise PlaybookError("is nested too deeply", file=file, line=1) from None
    if not isinstance(node, yaml.MappingNode):
        raise PlaybookError(f"must be a mapping with `schema: {schema}`", file=file, line=1)
    root = Place(node, file, "")
    entries = dict(root.entries())
    if "schema" not in entries:
        raise root.error(f"the file has no `schema`; it should say `schema: {schema}`")
    if entries["schema"].text() != schema:
        raise entries["schema"].error(f"schema is `{entries['schema'].text()}`, wanted `{schema}`")
    return root
