"""From a card to its data, wherever they are: a data set, a file, partitions, rows from Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gmmcompare.data import Rows, load_rows, load_vectors
from gmmcompare.data.partitions.pieces import PartitionedFiles, is_partitioned
from gmmcompare.model.card import Card, MultivariateDataSection
from gmmcompare.model.sample import Key, Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import Tasks


@dataclass(frozen=True, eq=False)
class Data:
    """What a card is fitted to.

    Attributes
    ----------
    sample : Sample
    rows : Rows or None
        The same observations in the order of their file; None where nothing can be reported row
        by row, as of data in partitions.
    """

    sample: Sample
    rows: Rows | None = None

    @property
    def names(self) -> dict[Key, list[str]]:
        """Names of the observations at each value; empty where there are none."""
        return self.rows.names_by_value() if self.rows else {}


def load(
    card: Card,
    source: str | Path | Rows | None = None,
    *,
    offline: bool = False,
    tasks: Tasks | None = None,
    progress: Progress = no_progress,
) -> Data:
    """Load the data a card asks for; of those at most `data.subsample`, chosen at random.

    Parameters
    ----------
    card : Card
    source : str, Path or Rows, optional
        A data set, file or glob with the card's column, or rows, in place of the card's data. It
        need not have the card's column of names.
    offline : bool
        Do not use the network.
    tasks : Tasks, optional
        Where data in partitions are kept; by default in this process.
    progress : Progress
        Is told while partitions are read.

    Raises
    ------
    InputError
        If the data cannot be used; the message names file, place, reason and remedy.
    EngineError
        If the cluster is lost.
    """
    section = card.data
    # A relative path in a card is relative to the card.
    found = source or section.dataset or card.file.parent / str(section.path)
    if isinstance(found, Rows):
        rows = found
    elif isinstance(section, MultivariateDataSection):
        if is_partitioned(found):
            raise InputError(
                f"{found}: several columns are for one file, not for data in partitions"
            )
        rows = load_vectors(
            found,
            section.column,
            section.transform,
            section.label,
            section.name_column,
            offline,
            names_required=source is None,
            where=section.where,
            weight=section.weight,
        )
    elif is_partitioned(found):
        _refuse_choice_of_rows(card, found)
        progress(f"reading {found}", 0.0)
        from gmmcompare.data.partitions.part import random_part
        from gmmcompare.workflows.partitions import open_partitions

        files = PartitionedFiles.find(found, section.column, section.transform, section.label)
        if section.subsample is None:
            sample: Sample = open_partitions(files, card.K, tasks)
        else:
            sample = random_part(files, section.subsample, card.run.seed, tasks)
        progress(f"reading {found}", 1.0)
        return Data(sample)
    else:
        rows = load_rows(
            found,
            section.column,
            section.transform,
            section.label,
            section.name_column,
            offline,
            names_required=source is None,
            where=section.where,
            weight=section.weight,
            error=section.error,
            error_missing=section.error_missing,
        )
    if section.subsample is not None:
        rows = rows.random_part(section.subsample, card.run.seed)
    return Data(rows.sample, rows)


def _refuse_choice_of_rows(card: Card, found: str | Path) -> None:
    """Refuse what needs whole rows: data in partitions are read one column at a time, by many."""
    if card.data.error is not None:
        raise InputError(
            f"{found}: data.error is for one file, and not for data in partitions, whose values "
            "are put on a grid; write a random part of them to one file"
        )
    for key in ("where", "weight"):
        if getattr(card.data, key) is not None:
            raise InputError(
                f"{found}: data.{key} is for one file, and not for data in partitions; choose the "
                "rows when the files are written"
            )
