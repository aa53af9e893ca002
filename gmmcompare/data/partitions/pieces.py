"""Data too large for one array: files cut into partitions, each read and reduced on its own.

A partition is some row groups of a Parquet file, or a CSV file. Which values it holds depends on
the files alone, so that draws do not depend on where a partition is.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.csvfile import CsvFile
from gmmcompare.data.parquetfile import ParquetFile
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Origin, Sample, Standardisation
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import Held, Tasks

PARTITION_ROWS = 1_000_000
"""Row groups of a file are joined up to about so many rows: 8 MB, some 10 ms for each sweep."""
SKETCH_POINTS = 65_536
"""Points of the sketch of all data, from which EM and chains take their starts."""
MIN_SKETCH_POINTS = 64
"""Points of the sketch from each partition, however many there are."""


def is_partitioned(source: str | Path) -> bool:
    """Whether a data source is partitioned: a glob, or Parquet. One CSV file is read whole."""
    return glob.has_magic(str(source)) or str(source).endswith(".parquet")


@dataclass(frozen=True)
class Piece:
    """Where the values of one partition stand.

    ``groups`` are row groups and ``rows`` their number of rows; for CSV there are none, and the
    number of rows is not known.
    """

    path: Path
    column: str | None
    groups: tuple[int, ...] = ()
    rows: int = 0

    def __str__(self) -> str:
        if not self.groups:
            return str(self.path)
        return f"{self.path} (row groups {self.groups[0]} to {self.groups[-1]})"


def find_pieces(pattern: str | Path, column: str | None = None) -> list[Piece]:
    """Return the partitions of all files that match, in the order of their names.

    Parameters
    ----------
    pattern : str or Path
        A glob such as ``stars/*.parquet``, or one file.
    column : str, optional
        By default the only numeric column of the files.

    Raises
    ------
    InputError
        If no file matches, or the footer of a Parquet file cannot be used.
    """
    paths = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]
    if not paths:
        raise InputError(
            f"{pattern}: no file matches; give Parquet or CSV files, as in stars/*.parquet"
        )
    pieces = []
    for path in paths:
        if path.suffix == ".parquet":
            pieces += _pieces_of_parquet(path, column)
        else:
            pieces.append(Piece(path, column))
    return pieces


def _pieces_of_parquet(path: Path, column: str | None) -> list[Piece]:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; match the files in it by {path}/*.parquet")
    file = ParquetFile.open(path)
    chosen = file.chosen(column)
    if not sum(file.rows):
        raise InputError(f"{path}: has no rows; get it again, or leave it out")
    joined: list[list[int]] = []
    rows = PARTITION_ROWS
    for group, size in enumerate(file.rows):
        if rows + size > PARTITION_ROWS:
            joined.append([])
            rows = 0
        joined[-1].append(group)
        rows += size
    return [
        Piece(path, chosen, tuple(groups), sum(file.rows[group] for group in groups))
        for groups in joined
    ]


@dataclass(frozen=True)
class PartitionedFiles:
    """Files cut into partitions, and what is taken from them.

    Attributes
    ----------
    pattern : str
        The glob that matched them, or one file.
    pieces : tuple of Piece
    transform : {"none", "log", "log10"}
    label : str
        Names the quantity on axes.
    """

    pattern: str
    pieces: tuple[Piece, ...]
    transform: str
    label: str

    @classmethod
    def find(
        cls,
        pattern: str | Path,
        column: str | None = None,
        transform: str = "none",
        label: str | None = None,
    ) -> PartitionedFiles:
        """Find all files that match; their values are not read yet.

        Parameters
        ----------
        pattern, column
            As for `find_pieces`.
        transform, label
            As for `data.load_sample`.

        Raises
        ------
        InputError
            As `find_pieces`.
        """
        pieces = tuple(find_pieces(pattern, column))
        name = pieces[0].column or "y"
        label = label or (name if transform == "none" else f"{transform} {name}")
        return cls(str(pattern), pieces, transform, label)

    @property
    def name(self) -> str:
        """The folder of a glob, or the file."""
        path = Path(self.pattern)
        return path.parent.name or "partitions" if glob.has_magic(path.name) else path.stem

    @property
    def rows(self) -> int:
        """Number of rows, as far as it is known before they are read (of CSV it is not)."""
        return sum(piece.rows for piece in self.pieces)

    def read(self, tasks: Tasks) -> Held:
        """Read every partition, and hold a `Sample` of each where it was read."""
        return tasks.hold(self.pieces).then(read_piece, self.transform)


def read_piece(piece: Piece, index: int, transform: str = "none") -> Sample:
    """Read a partition and reduce it to distinct values and counts.

    Parameters
    ----------
    piece : Piece
    index : int
        Of the partition; not used, but every function that a `Placement` calls is given it.
    transform : {"none", "log", "log10"}
        Applied to every value that is not missing.

    Returns
    -------
    Sample
        Its origin has the number of missing values.

    Raises
    ------
    InputError
        If it cannot be read, has only missing values, or has some that cannot be transformed.
    """
    path = piece.path
    if piece.groups:
        values = ParquetFile.open(path).values(str(piece.column), piece.groups)
    else:
        values = CsvFile.open(path).column(piece.column).values
    y = values[~np.isnan(values)]
    if not y.size:
        raise InputError(
            f"{piece}: column '{piece.column}' has only missing values ({values.size} rows); "
            "leave the file out, or choose another column"
        )
    if transform != "none":
        if not (y > 0).all():
            raise InputError(
                f"{piece}: column '{piece.column}' has {int((y <= 0).sum())} values that are zero "
                f"or negative, such as {y.min():g}, and transform '{transform}' needs positive "
                "ones; remove those rows, or use transform 'none'"
            )
        y = np.log10(y) if transform == "log10" else np.log(y)
    return Sample.of(y, Origin(name=str(piece), n_missing=values.size - y.size))


@dataclass(frozen=True, eq=False)
class Summary:
    """What one partition, or all of them, is known by.

    ``n_distinct`` of all is the sum over partitions, an upper bound; ``gap`` the smallest distance
    of two values of one partition; ``squares`` the sum of squares about the mean; ``sketch`` a
    sample of the same size n, with few distinct values.
    """

    n: int
    n_missing: int
    n_distinct: int
    low: float
    high: float
    gap: float
    mean: float
    squares: float
    sha256: str
    sketch: Sample

    @property
    def unit(self) -> Standardisation:
        """The units in which all partitions are held."""
        return Standardisation.of_moments(self.mean, float(np.sqrt(self.squares / self.n)))


def summarise(sample: Sample, index: int, points: int) -> Summary:
    """Summarise one partition.

    Parameters
    ----------
    sample : Sample
        The partition's values.
    index : int
        Of the partition; not used, but every function that a `Placement` calls is given it.
    points : int
        Most distinct values that the sketch may have.

    Returns
    -------
    Summary
    """
    return Summary(
        n=sample.n,
        n_missing=sample.origin.n_missing,
        n_distinct=sample.n_distinct,
        low=float(sample.values[0]),
        high=float(sample.values[-1]),
        gap=float(np.diff(sample.values).min(initial=np.inf)),
        mean=sample.mean,
        squares=sample.n * sample.sd**2,
        sha256=sample.fingerprint,
        sketch=_sketch(sample, points),
    )


def _sketch(sample: Sample, points: int) -> Sample:
    """Return the middle value of each of so many equal shares, with the share's size as count."""
    if sample.n_distinct <= points:
        return sample
    edges = np.linspace(0, sample.n, points + 1).round().astype(np.int64)
    middle = (edges[:-1] + edges[1:]) / 2 / sample.n
    return weighted_sample(sample.quantiles(middle), np.diff(edges))


def weighted_sample(
    values: Array, counts: NDArray[np.integer], origin: Origin | None = None
) -> Sample:
    """Return a sample of values in any order, some perhaps equal, each with its count.

    Parameters
    ----------
    values : ndarray, shape (M,)
    counts : ndarray of int, shape (M,)
        At least 1 each; those of equal values are added.
    origin : Origin, optional

    Returns
    -------
    Sample
    """
    distinct, at = np.unique(values, return_inverse=True)
    total = np.zeros(distinct.size, dtype=np.int64)
    np.add.at(total, at, counts)
    return Sample(distinct, total, origin=origin or Origin())


def combined(summaries: Sequence[Summary]) -> Summary:
    """Return the summary of all partitions (Chan, Golub and LeVeque 1983 for the moments)."""
    n = np.array([s.n for s in summaries])
    means = np.array([s.mean for s in summaries])
    mean = means[0] + float(np.sum(n * (means - means[0]))) / int(n.sum())
    between = float(np.sum(n * (means - mean) ** 2))
    digest = hashlib.sha256("".join(s.sha256 for s in summaries).encode())
    return Summary(
        n=int(n.sum()),
        n_missing=sum(s.n_missing for s in summaries),
        n_distinct=sum(s.n_distinct for s in summaries),
        low=min(s.low for s in summaries),
        high=max(s.high for s in summaries),
        gap=min(s.gap for s in summaries),
        mean=mean,
        squares=sum(s.squares for s in summaries) + between,
        sha256=digest.hexdigest(),
        sketch=weighted_sample(
            np.concatenate([s.sketch.values for s in summaries]),
            np.concatenate([s.sketch.counts for s in summaries]),
        ),
    )


def summary_of(partitions: Held) -> Summary:
    """Summarise partitions that were read."""
    points = max(MIN_SKETCH_POINTS, SKETCH_POINTS // partitions.size)
    return combined(partitions.collect(summarise, points))


def sum_in_order(parts: Sequence[Array]) -> Array:
    """Add what partitions gave, one after another: the same rounding wherever they are."""
    total = np.zeros_like(parts[0])
    for part in parts:
        total += part
    return total
