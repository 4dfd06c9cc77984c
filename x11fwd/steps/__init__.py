"""Steps: each decides what must change on a host and returns it as data; the engine alone executes."""
