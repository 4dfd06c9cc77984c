"""Checks: pure functions from facts to findings, listed in one table."""
