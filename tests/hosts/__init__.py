"""Tests that need root and the lab: real sshd, real systemd, real X servers."""
