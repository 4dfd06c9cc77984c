"""Frames: whatever the stream cuts, they come out whole, and nothing strange gets through."""

from __future__ import annotations

import pytest

from x11fwd.notebook.far.wire import LARGEST, Frames, WireError, frame


def test_frames_come_out_whole_however_the_stream_is_cut() -> None:
    sent = [(b"J", 0, b"{}"), (b"D", 7, bytes(range(256))), (b"E", 7, b""), (b"Z", 0, b"")]
    data = b"".join(frame(*one) for one in sent)
    for size in (1, 2, 8, 9, 10, 300):
        frames = Frames()
        assert [one for at in range(0, len(data), size) for one in frames.feed(data[at : at + size])] == sent


@pytest.mark.parametrize("data", [b"SSH-2.0-x", frame(b"D", 1, b"x")[:5] + b"\xff\xff\xff\xff", b"\0" * 9])
def test_what_is_no_frame_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        Frames().feed(data)


def test_a_frame_may_not_be_larger_than_agreed() -> None:
    with pytest.raises(WireError):
        Frames().feed(frame(b"D", 1, bytes(LARGEST + 1)))
