"""Jupyter over there: found, started, reached. `far/` is sent to the remote, the rest is the near half.

Imported by the pipeline. Both halves speak in frames over one stream (`far/wire.py`), so that nothing but a
login that runs commands is needed: no port forwarding of sshd's, no second session. The far half finds the
user's running servers, starts or installs one, and carries the browser's connections to it (`far/relay.py`);
the near half (`forward.py`) listens on 127.0.0.1 and keeps that address while lines come and go.
"""
