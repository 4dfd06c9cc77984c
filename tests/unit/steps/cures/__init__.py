"""Tests of x11fwd.steps.cures."""
