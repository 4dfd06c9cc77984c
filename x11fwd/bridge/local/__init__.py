"""The half beside the X server: real connections, facts asked ahead, images decoded; Python 3.10."""
