"""The command line: arguments and exit codes, nothing else.

Every import beyond typer waits until its command runs, so that ``gmmcompare --help`` is quick.
"""

from gmmcompare.cli import comparing, datasets, priors, selecting, studying, teaching, validating
from gmmcompare.cli.application import app, main

__all__ = [
    "app",
    "comparing",
    "datasets",
    "main",
    "priors",
    "selecting",
    "studying",
    "teaching",
    "validating",
]
