"""What is sent to follow files over there and to open a pickled figure, and how what comes back is read."""
