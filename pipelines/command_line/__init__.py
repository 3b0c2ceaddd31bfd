"""The commands of `python -m pipelines`, with their arguments; `pipelines.stages` and `pipelines.commands` do the work.

Nothing that takes long to import is imported before a command runs, so that `--help` is quick.
"""
