"""Batches are unpacked as they were, in whatever way each was packed, and the context is kept."""

import importlib
import random
import time
import zlib
from typing import List

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.packing import (
    BIG_BATCH,
    PIECE,
    Packer,
    Unpacker,
    ZstdPacker,
    ZstdUnpacker,
    chosen,
    packers,
)


def noise(size: int, seed: int) -> bytes:
    """Bytes that cannot be packed."""
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, "little")


def test_batches_of_all_kinds_come_as_they_were() -> None:
    chance = random.Random(5)
    packer, unpacker = Packer(), Unpacker()
    for turn in range(200):
        size = chance.choice((1, 10, 3000, BIG_BATCH - 1, BIG_BATCH, 70000, 200000))
        kind = chance.randrange(3)
        batch = noise(size, turn % 5) if kind else (b"%d of a plot " % turn * size)[:size]
        packed = packer.pack(batch, most=chance.choice((0, 1, 9)))
        assert len(packed) < size * 1.01 + 30
        assert b"".join(unpacker.unpack(packed)) == batch


def test_the_context_outlives_a_batch_of_noise_and_a_fast_one() -> None:
    packer, unpacker = Packer(), Unpacker()
    text = noise(2000, 1)
    for batch in (noise(BIG_BATCH, 2), b"much the same " * 1200):
        sizes: List[int] = []
        for one in (batch[: BIG_BATCH - 2100] + text, batch, text):
            packed = packer.pack(one, most=1)
            sizes.append(len(packed))
            assert b"".join(unpacker.unpack(packed)) == one
        assert sizes[2] < 60


def test_noise_is_not_packed_in_vain() -> None:
    packer = Packer()
    batch = noise(1 << 18, 3)
    start = time.process_time()
    for _ in range(50):
        packed = packer.pack(batch)
    took = time.process_time() - start
    start = time.process_time()
    for _ in range(50):
        zlib.compress(batch, 1)
    assert took < time.process_time() - start
    assert len(packed) == len(batch) + 5 * 5


def test_what_is_unpacked_comes_in_pieces() -> None:
    pieces = list(Unpacker().unpack(Packer().pack(bytes(1 << 20))))
    assert max(map(len, pieces)) == PIECE
    assert sum(map(len, pieces)) == 1 << 20


def test_bytes_that_nobody_packed_are_a_fault() -> None:
    with raises(WireFault, "damaged"):
        list(Unpacker().unpack(b"\xff" * 100))
    with raises(WireFault, "ends"):
        list(Unpacker().unpack(b"\3\0"))


def test_zstd_keeps_its_context_and_comes_in_pieces_where_python_has_it() -> None:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        packer, unpacker = ZstdPacker(module), ZstdUnpacker(module)
        for batch in (noise(3000, 1), b"", bytes(1 << 20), noise(3000, 1)):
            packed = packer.pack(batch)
            pieces = list(unpacker.unpack(packed))
            assert b"".join(pieces) == batch
            assert max(map(len, pieces), default=0) <= PIECE
        assert len(packed) < 100
        with raises(WireFault, "damaged"):
            list(ZstdUnpacker(module).unpack(b"\xff" * 100))
        with raises(WireFault, "ends"):
            list(ZstdUnpacker(module).unpack(module.compress(b"x")))


def test_the_best_packer_that_both_have_is_chosen() -> None:
    assert packers()[-1] == "zlib"
    assert chosen(("lzma", "zlib")) == "zlib"
    assert chosen(("lzma",)) == ""
    assert chosen(packers()) == packers()[0]
