"""The bridge beside native forwarding over one distant link; `python -m tests.bench bridge` calls it."""
