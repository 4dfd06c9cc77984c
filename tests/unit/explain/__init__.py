"""Tests of x11fwd.explain."""
