"""x11fwd: a plot made on a machine you reach by ssh, seen on the screen in front of you."""

__version__ = "0.1.0"
