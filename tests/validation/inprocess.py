"""A sandbox that is none: tasks run in the test's own process, for speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject


class InProcess:
    def __init__(self, function: Callable[..., Any], name: str = "subject") -> None:
        self.subject = MixtureSubject(function, name)

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        for task in tasks:
            yield task.function(self.subject, **task.arguments)


def silent(*news: object) -> None:
    """Ignore progress."""
