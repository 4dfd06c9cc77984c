"""The far half of `run`, sent as one text by run_session.py; nothing here imports it."""
