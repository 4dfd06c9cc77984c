"""What a log line says: places on the x axes and named values; imported by all of logs and what is above."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Axis", "Block", "Row", "RowBuilder"]


class Axis(enum.Enum):
    """What x may be."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"  # seconds since 1970; a time without a zone is taken as written
    LINE = "line"  # the how-manieth row it is, where the log names no other


class Row(NamedTuple):
    """One line's numbers.

    Attributes:
        axes: where on each axis the line stands; may be empty.
        values: series name to value; NaN and infinities are values.
    """

    axes: dict[Axis, float]
    values: dict[str, float]


@dataclass(frozen=True)
class Block:
    """Consecutive rows with the same axes and series, as columns of equal length (at least 1)."""

    axes: dict[Axis, list[float]]
    values: dict[str, list[float]]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def points(self) -> int:
        return len(self) * len(self.values)


class RowBuilder:
    """Gathers single rows into blocks."""

    def __init__(self) -> None:
        self._shape: tuple[tuple[Axis, ...], tuple[str, ...]] = ((), ())
        self._axes: list[list[float]] = []
        self._values: list[list[float]] = []
        self.blocks: list[Block] = []

    def add(self, row: Row) -> None:
        shape = (tuple(row.axes), tuple(row.values))
        if shape != self._shape:
            self.flush()
            self._shape = shape
            self._axes = [[] for _ in shape[0]]
            self._values = [[] for _ in shape[1]]
        for column, value in zip(self._axes, row.axes.values(), strict=True):
            column.append(value)
        for column, value in zip(self._values, row.values.values(), strict=True):
            column.append(value)

    def add_block(self, block: Block) -> None:
        self.flush()
        self.blocks.append(block)

    def flush(self) -> None:
        """Close the block that is being filled."""
        if self._values and self._values[0]:
            axes, names = self._shape
            self.blocks.append(
                Block(dict(zip(axes, self._axes, strict=True)), dict(zip(names, self._values, strict=True)))
            )
        self._shape, self._axes, self._values = ((), ()), [], []

    def take(self) -> list[Block]:
        """All blocks since the last call."""
        self.flush()
        done, self.blocks = self.blocks, []
        return done
