"""The half beside the X server: real connections, facts asked ahead, images put together again; Python 3.10."""
