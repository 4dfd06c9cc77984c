"""A figure with a busy line in a window: plot.py BACKEND [FRAMES]; it stays, or ends after some frames."""

import sys
import time

import matplotlib as mpl

mpl.use(sys.argv[1])
from matplotlib import pyplot

figure, axes = pyplot.subplots()
(line,) = axes.plot([i % 37 * (i % 11) for i in range(400)])
axes.set_title("x11fwd")
if len(sys.argv) == 2:
    pyplot.show()
else:
    pyplot.show(block=False)
    for frame in range(int(sys.argv[2])):
        line.set_ydata([(i + frame) % 37 * (i % 11) for i in range(400)])
        figure.canvas.draw()
        for _ in range(3):  # events have come before they are asked for
            figure.canvas.flush_events()
            time.sleep(0.03)
    pyplot.close(figure)
