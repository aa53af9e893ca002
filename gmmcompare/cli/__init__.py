"""The command line: arguments and exit codes, nothing else.

Every import beyond typer waits until its command runs, so that ``gmmcompare --help`` is quick.
"""

from gmmcompare.cli import (
    agree,
    compare,
    components,
    course,
    data,
    engines,
    fit,
    lesson,
    report,
    select,
    sensitivity,
    study,
    validate,
)
from gmmcompare.cli.application import app, main

__all__ = [
    "agree",
    "app",
    "compare",
    "components",
    "course",
    "data",
    "engines",
    "fit",
    "lesson",
    "main",
    "report",
    "select",
    "sensitivity",
    "study",
    "validate",
]
