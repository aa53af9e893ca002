"""What all studies of our own verdicts have in common: repetitions that are run, kept, written up.

A study says which cases there are and how often each is repeated, what one repetition is, and how
the page reads. Repetitions are tasks that run anywhere, and each is kept as it is reached, so that
a study that was interrupted is continued by the same command.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from gmmcompare._version import __version__
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import write_text
from gmmcompare.runtime.progress import Step, no_progress
from gmmcompare.runtime.store import Row, Store
from gmmcompare.runtime.tasks import InProcess, Tasks

type Found = Mapping[str, Sequence[Row]]
"""Rows of every case of which there are any."""


@dataclass(frozen=True)
class Study(ABC):
    """One kind of repetition, and a folder in which its rows are kept.

    Parameters
    ----------
    folder : Path
        ``FOLDER/outcomes.jsonl`` keeps the rows; the page is ``FOLDER.md``.
    seed : int
        Every repetition's own seed is derived from it: rows do not depend on where they are made.
    """

    folder: Path
    seed: int

    name: ClassVar[str]
    """The command is ``gmmcompare study NAME``."""

    @property
    def settings(self) -> dict[str, object]:
        """What rows depend on beside seed and version."""
        return {}

    def prepare(self) -> None:
        """Make what all repetitions share; most share nothing."""
        return

    @abstractmethod
    def plan(self, repetitions: int) -> dict[str, int]:
        """Return how often each case is repeated where the user asks for so many repetitions."""

    @abstractmethod
    def repeat(self, case: str, number: int) -> Row:
        """Make one repetition of a case."""

    @abstractmethod
    def page(self, found: Found) -> str:
        """Return the page in Markdown."""

    def __post_init__(self) -> None:
        # Workers may have another working directory.
        object.__setattr__(self, "folder", Path(self.folder).resolve())

    @property
    def command(self) -> str:
        """The command line that makes this study, without its folder and number of runs."""
        return f"gmmcompare study {self.name}"

    @property
    def identity(self) -> dict[str, object]:
        """What the folder's rows are of; no two studies are mixed."""
        return {"study": self.name, "version": __version__, "seed": self.seed, **self.settings}

    @property
    def store(self) -> Store:
        """What is kept of the study."""
        return Store(self.folder / "outcomes.jsonl", self.identity, ("case", "repetition"))

    def run(
        self,
        repetitions: int,
        tasks: Tasks | None = None,
        progress: Step = no_progress,
    ) -> None:
        """Run what is missing.

        Parameters
        ----------
        repetitions : int
            See `plan`. Cases take turns, so that a study that is stopped is balanced.
        tasks : Tasks, optional
            Where repetitions run (see `runtime.tasks.open_tasks`); by default in this process.
        progress : callable
            Is told the fraction that is done.

        Raises
        ------
        InputError
            If the folder holds another study, or cannot be written.
        TaskError
            If repetitions fail where they run; the others are kept, and a rerun tries these again.
        """
        store = self.store.begin()
        self.prepare()
        plan = self.plan(repetitions)
        missing = [
            _Repetition(self, case, number)
            for number in range(max(plan.values()))
            for case, times in plan.items()
            if number < times and (case, number) not in store.rows
        ]
        left, total = len(missing), sum(plan.values())
        progress(1 - left / total)
        for index, row in (tasks or InProcess()).run(_row, missing):
            store.append((missing[index].case, missing[index].number), row)
            left -= 1
            progress(1 - left / total)

    def found(self) -> Found:
        """Return the rows that are kept, by case, in the order of their repetitions.

        Raises
        ------
        InputError
            If there are none, or the folder holds another study.
        """
        found: dict[str, list[Row]] = {}
        for (case, _), row in sorted(self.store.rows.items()):
            found.setdefault(str(case), []).append(row)
        if not found:
            raise InputError(f"{self.folder}: holds no outcomes; run `{self.command}` first")
        return found

    def origin(self, found: Found, what: str) -> str:
        """Say in a page what it was written from."""
        total = sum(map(len, found.values()))
        return (
            f"Written by `{self.command}` (version {__version__}, seed {self.seed}) "
            f"from {total:,} {what}."
        )

    def write(self) -> Path:
        """Write up what is kept, all that was asked for or not; return the page's path.

        Raises
        ------
        InputError
            If there is nothing to write up, or it cannot be written.
        """
        path = self.folder.with_name(f"{self.folder.name}.md")
        write_text(path, self.page(self.found()))
        return path


class _Repetition(NamedTuple):
    """One task."""

    study: Study
    case: str
    number: int


def _row(what: _Repetition, progress: Step) -> Row:
    return what.study.repeat(what.case, what.number)
