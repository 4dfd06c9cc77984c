"""`python tensorboard_points.py FOLDER ROWS`: writes rows of two scalars as TensorBoard does, and loads them.

Prints the version, seconds of CPU to load, and points loaded. Needs `tensorboard`, not TensorFlow.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    import tensorboard
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    folder, rows = sys.argv[1], int(sys.argv[2])
    writer = EventFileWriter(folder, max_queue_size=10_000, flush_secs=60)
    for step in range(rows):
        loss, accuracy = 1 / (1 + step / 1000), step / 1e6
        values = [
            Summary.Value(tag="loss", simple_value=loss),
            Summary.Value(tag="accuracy", simple_value=accuracy),
        ]
        writer.add_event(Event(step=step, wall_time=1.7e9 + step, summary=Summary(value=values)))
    writer.close()
    started = time.process_time()
    found = EventAccumulator(folder, size_guidance={"scalars": 0})
    found.Reload()
    points = sum(len(found.Scalars(tag)) for tag in found.Tags()["scalars"])
    print(tensorboard.__version__, time.process_time() - started, points)


if __name__ == "__main__":
    main()
