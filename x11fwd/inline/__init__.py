"""The matplotlib backend that turns figures into pictures; sent as text, imported by nothing of ours."""
