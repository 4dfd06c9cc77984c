"""The line of DESIGN.md: resolve, connect, gather, diagnose, prescribe, apply, verify."""
