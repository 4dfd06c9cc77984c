"""Benchmarks: x11fwd against what a user would type instead, as ratios within one run; never asserted on."""
