"""Unit tests of facts: pure parsers on captured outputs, the probe under every shell at hand."""
