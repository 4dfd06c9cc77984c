"""Makes the remote half one program of one file out of `shared` and `remote`; `pipeline` imports it.

assemble   finds the modules, puts them in order, keeps what it made in a cache
strip      takes out of a module what only readers and type checkers need
"""
