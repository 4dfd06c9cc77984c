"""Makes the remote half one program of one file out of `shared` and `remote`; `pipeline` imports it.

assemble   finds the modules, keeps what was made of them in a cache
join       puts modules in order and together
squeeze    makes the text shorter
wheel_hook puts it, ready made, into a wheel that is built
strip      takes out of a module what only readers and type checkers need
"""
