"""Stands for JupyterLab where only its outside matters: its file, its token, its socket, its end."""
