"""Tests of the transports without a network: pure parts, this machine's shells, the fake."""
