"""Answers that the remote half gives itself, each with its justification; `table` lists them."""
