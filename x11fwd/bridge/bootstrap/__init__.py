"""Shell text of the bridge, as package data: what starts the remote half, and where it meets the session."""
