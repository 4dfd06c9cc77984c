"""Tests of the command line: parsing, help, exit codes, JSON, layers."""
