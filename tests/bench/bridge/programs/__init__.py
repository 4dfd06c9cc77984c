"""What is copied to the host and runs there: standard library and Debian's matplotlib only."""
