"""Coverage-guided fuzzing of the bridge's wire code with the standard library; see `__main__`."""
