"""The far half of `jupyter`: Python 3.6, standard library; joined into one program and sent as text."""
