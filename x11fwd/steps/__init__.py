"""What setup does to a host: steps decide (planner, one module per kind), the engine acts; for pipeline.

The set of steps is closed: packages, sshd_option, matplotlibrc, file, service, command. `planner.PLANNERS` is
the table of them and says how one is added. All of them answer with `plan.Change`, the contract between the
two halves: pure data that a person can read, the engine can do, and the journal can take back.
"""
