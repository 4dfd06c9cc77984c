"""A figure with a busy line in a window: plot.py BACKEND."""

import sys

import matplotlib as mpl

mpl.use(sys.argv[1])
from matplotlib import pyplot

figure, axes = pyplot.subplots()
axes.plot([i % 37 * (i % 11) for i in range(400)])
axes.set_title("x11fwd")
pyplot.show()
