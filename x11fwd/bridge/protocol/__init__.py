"""What xcb-proto says about X: the generator and the names of requests, for the local half and tests."""
