"""Which files belong to a project and how they get to another machine unchanged; the pipeline imports it."""
