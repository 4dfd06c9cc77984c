"""Tests of x11fwd.x11 without a display: a server of our own in a thread answers."""
