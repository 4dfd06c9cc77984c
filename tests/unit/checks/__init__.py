"""Tests of the checks and of how findings are folded; nothing here needs a network or a display."""
