"""Runs of equal flags as bytes; `pixels` uses it."""

from typing import List


def mask_runs(mask: bytes) -> "List[int]":
    """Lengths of the runs of 0 and 1 in turn; 0 comes first, a last run of 0 is left out."""
    found: List[int] = []
    add, find, at = found.append, mask.find, 0
    while True:
        start = find(1, at)
        if start < 0:
            return found
        add(start - at)
        at = find(0, start)
        if at < 0:
            add(len(mask) - start)
            return found
        add(at - start)


def coded_runs(runs: "List[int]") -> bytes:
    """Lengths as bytes, 255 meaning that more follows; first those of 0, then those of 1."""
    if not runs or max(runs) < 255:
        return bytes(runs[::2]) + bytes(runs[1::2])
    found = bytearray()
    for run in runs[::2] + runs[1::2]:
        found += b"\xff" * (run // 255)
        found.append(run % 255)
    return bytes(found)


def read_runs(coded: bytes) -> "List[int]":
    """What `coded_runs` made."""
    lengths = list(coded)
    if 255 in coded:
        lengths, more = [], 0
        for one in coded:
            more += one
            if one < 255:
                lengths.append(more)
                more = 0
    half = len(lengths) // 2
    found = [0] * (2 * half)
    found[::2], found[1::2] = lengths[:half], lengths[half : 2 * half]
    return found
