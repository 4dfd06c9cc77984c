"""The tests of x11fwd; nothing outside this folder imports it."""
