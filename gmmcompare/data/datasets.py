"""Data sets by name and CSV files by path: what there is, where it comes from, how to load it."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data import archive
from gmmcompare.data.archive import Snapshot, file_sha256
from gmmcompare.data.astrotable import AstroTable
from gmmcompare.data.column import Column, read_column
from gmmcompare.data.csvfile import CsvFile, explained
from gmmcompare.data.errors import carried, read_errors, warn_of_odd
from gmmcompare.data.kinds import kind_of_file
from gmmcompare.data.rows import Rows
from gmmcompare.data.table import Table
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Origin, Sample
from gmmcompare.runtime.bundled import bundled
from gmmcompare.runtime.errors import InputError, did_you_mean

Transform = Literal["none", "log", "log10"]

_notices = logging.getLogger("gmmcompare")


@dataclass(frozen=True)
class Dataset:
    """A data set that has a name.

    Attributes
    ----------
    name, description, source, licence : str
    column : str
        The column that is loaded where none is asked for.
    label : str
        What that column holds, with its unit.
    file : str or None
        Name of the bundled file; None for the table that is fetched.
    simulated : bool
    """

    name: str
    description: str
    column: str
    label: str
    source: str
    licence: str
    file: str | None = None
    simulated: bool = False


_DATASETS = (
    Dataset(
        name="galaxies",
        description="velocities of 82 galaxies in the Corona Borealis region",
        column="velocity_km_s",
        label="velocity (km/s)",
        source="Postman, Huchra and Geller (1986); Roeder (1990), 78th value 26690",
        licence="published measurements, free to use",
        file="galaxies.csv",
    ),
    Dataset(
        name="acidity",
        description="acidity index of 155 lakes in north-central Wisconsin, log scale",
        column="log_acidity_index",
        label="log acidity index",
        source="Crawford, DeGroot, Kadane and Small (1992); Richardson and Green (1997)",
        licence="published measurements, free to use",
        file="acidity.csv",
    ),
    Dataset(
        name="enzyme",
        description="activity of an enzyme in the blood of 245 people",
        column="activity",
        label="enzymatic activity",
        source="Bechtel, Bonaiti-Pellie, Poisson, Magnette and Bechtel (1993); Richardson and "
        "Green (1997)",
        licence="published measurements, free to use",
        file="enzyme.csv",
    ),
    Dataset(
        name="exoplanets",
        description="radii of all confirmed planets; fetched on demand",
        column="pl_radj",
        label="planet radius (Jupiter radii)",
        source="NASA Exoplanet Archive, table pscomppars",
        licence="public; the archive asks to be acknowledged (see data/README.md)",
    ),
    Dataset(
        name="exoplanets-simulated",
        description="simulated radii, the stand-in for exoplanets without a network",
        column="pl_radj",
        label="planet radius (Jupiter radii), simulated",
        source="drawn by data/simulate_exoplanets.py from a published three-component fit",
        licence="MIT, as gmmcompare",
        file="exoplanets-simulated.csv",
        simulated=True,
    ),
    Dataset(
        name="exoplanets-errors-simulated",
        description="simulated radii measured with errors, the stand-in where errors are asked for",
        column="pl_radj",
        label="planet radius (Jupiter radii), simulated",
        source="drawn by data/simulate_exoplanets_errors.py from the same fit, with errors",
        licence="MIT, as gmmcompare",
        file="exoplanets-errors-simulated.csv",
        simulated=True,
    ),
    Dataset(
        name="faithful",
        description="272 eruptions of Old Faithful: duration, and waiting time to the next",
        column="waiting_min",
        label="waiting time (min)",
        source="Old Faithful geyser, August 1985; Haerdle (1991), Azzalini and Bowman (1990)",
        licence="published measurements, free to use",
        file="faithful.csv",
    ),
    Dataset(
        name="iris",
        description="four measurements of 150 irises of three species",
        column="petal_length_cm",
        label="petal length (cm)",
        source="Anderson (1935); Fisher (1936)",
        licence="published measurements, free to use",
        file="iris.csv",
    ),
    Dataset(
        name="radius-mass-simulated",
        description="simulated radii and masses of planets, two columns",
        column="pl_radj",
        label="planet radius (Jupiter radii), simulated",
        source="drawn by data/simulate_radius_mass.py from a four-component fit of 2,325 planets",
        licence="MIT, as gmmcompare",
        file="radius-mass-simulated.csv",
        simulated=True,
    ),
)
DATASETS = {dataset.name: dataset for dataset in _DATASETS}
STAND_IN = DATASETS["exoplanets-simulated"]
STAND_IN_WITH_ERRORS = DATASETS["exoplanets-errors-simulated"]


@dataclass(frozen=True)
class Listing:
    """A data set, and whether it is at hand.

    ``status`` is ``"bundled"``, ``"not fetched"``, ``"damaged"`` or
    ``"cached (DATE, ROWS rows)"``.
    """

    dataset: Dataset
    status: str


@dataclass(frozen=True)
class Description:
    """All that `describe` says of a data set; the last three are None where it was not fetched.

    Attributes
    ----------
    listing : Listing
    path : Path or None
    sample : Sample or None
        The default column, not transformed: its size, distinct values, range and quantiles; its
        origin has the number of missing values and the SHA-256.
    snapshot : Snapshot or None
        Query, date and number of rows of a fetched table; None for a bundled data set.
    """

    listing: Listing
    path: Path | None
    sample: Sample | None
    snapshot: Snapshot | None


def load_sample(
    source: str | Path,
    column: str | None = None,
    transform: Transform = "none",
    label: str | None = None,
    offline: bool = False,
    where: str | None = None,
    weight: str | None = None,
    error: str | Sequence[str] | None = None,
    error_missing: float | None = None,
) -> Sample:
    """Load one column of a data set or of a CSV file as a sample.

    Parameters
    ----------
    source : str or Path
        A name that `list_datasets` shows, or a file: CSV, or FITS, VOTable, IPAC and CDS tables
        where astropy is installed.
    column : str, optional
        The data set's own default, or the only numeric column of the file.
    transform : {"none", "log", "log10"}
    label : str, optional
        What a figure writes on the axis; by default made of transform and column.
    offline : bool
        Do not fetch anything. Where ``exoplanets`` was never fetched, or cannot be, the simulated
        stand-in is loaded, ``origin.simulated`` is true and the logger ``gmmcompare`` warns.
    where : str, optional
        Which rows: a condition on columns, as pandas' ``DataFrame.query`` reads it, such as
        ``"default_flag == 1"``.
    weight : str, optional
        The column that says how often each observation occurs.
    error : str or two str, optional
        The column of the measurement errors' sds, in the units of the column; or those of the lower
        and of the upper errors, of which the mean is taken. A transform carries them by the delta
        method.
    error_missing : float, optional
        The error of rows without one, after the transform; by default they are dropped.

    Raises
    ------
    InputError
        If the data cannot be used; the message names file, place, reason and remedy.
    """
    return load_rows(
        source,
        column,
        transform,
        label,
        offline=offline,
        where=where,
        weight=weight,
        error=error,
        error_missing=error_missing,
    ).sample


def load_rows(
    source: str | Path,
    column: str | None = None,
    transform: Transform = "none",
    label: str | None = None,
    name_column: str | None = None,
    offline: bool = False,
    names_required: bool = True,
    where: str | None = None,
    weight: str | None = None,
    error: str | Sequence[str] | None = None,
    error_missing: float | None = None,
) -> Rows:
    """Load one column in the order of the file, with the names of its rows if asked for.

    Parameters
    ----------
    source : str or Path
        A name that `list_datasets` shows, or a file: CSV, or FITS, VOTable, IPAC and CDS tables
        where astropy is installed.
    column : str, optional
        The data set's own default, or the only numeric column of the file.
    transform : {"none", "log", "log10"}
        Applied to every value that is not missing; a logarithm needs positive ones.
    label : str, optional
        What a figure writes on the axis; by default made of transform and column.
    name_column : str, optional
        The column that names the rows.
    offline : bool
        Do not fetch anything; see `load_sample`.
    names_required : bool
        Whether a file without ``name_column`` is an error; if not, the logger ``gmmcompare`` warns.
    where : str, optional
        Which rows: a condition on columns, as pandas' ``DataFrame.query`` reads it.
    weight : str, optional
        The column that says how often each observation occurs.
    error : str or two str, optional
        The column of the measurement errors' sds, in the units of the column; or those of the lower
        and of the upper errors, of which the mean is taken. A transform carries them by the delta
        method.
    error_missing : float, optional
        The error of rows without one, after the transform; by default they are dropped.

    Returns
    -------
    Rows
        Missing values are dropped, and counted in ``origin.n_missing``; values without an error
        likewise, in ``origin.n_without_error``.

    Raises
    ------
    InputError
        If the data cannot be used; the message names file, place, reason and remedy.
    """
    if transform not in get_args(Transform):
        allowed = get_args(Transform)
        raise InputError(
            f"transform '{transform}' is unknown{did_you_mean(transform, allowed)}; "
            f"allowed: {', '.join(allowed)}"
        )
    stand_in = STAND_IN if error is None else STAND_IN_WITH_ERRORS
    located = _locate(source, offline, stand_in)
    dataset, path = located.dataset, located.path
    if column is None and dataset:
        column = dataset.column
    file = _opened(path, column)
    if name_column is not None and not names_required and name_column not in file.header:
        _notices.warning(
            "%s: no column '%s', so that observations have no names", path, name_column
        )
        name_column = None
    read = read_column(file, column, name_column, where, weight)
    missing = np.isnan(read.values)
    present = np.flatnonzero(~missing if read.counts is None else ~missing & (read.counts > 0))
    if not present.size:
        found = f"only missing values ({read.values.size} rows)" if read.values.size else "no rows"
        raise InputError(f"{path}: column '{read.name}' has {found}; choose another column")
    errors, without = None, 0
    if error is not None:
        found_errors = read_errors(file, error, read.row[present])
        present, errors, without = _measured(read, present, found_errors, error_missing, path)
    of_column = dataset.label if dataset and read.name == dataset.column else read.name
    origin = Origin(
        name=dataset.name if dataset else path.stem,
        source=located.source if where is None else f"{located.source}, where {where}",
        simulated=bool(dataset and dataset.simulated),
        n_missing=int(missing.sum()),
        n_without_error=without,
        sha256=file_sha256(path),
        label=label or (of_column if transform == "none" else f"{transform} {of_column}"),
    )
    names = read.names and tuple(read.names[i] for i in present)
    y = _transformed(read, present, transform, path)
    counts = None if read.counts is None else read.counts[present]
    if errors is not None:
        carried_errors = carried(errors, read.values[present], transform, path)
        errors = np.where(np.isnan(errors), error_missing or 0.0, carried_errors)
        warn_of_odd(errors, y, path)
    return Rows(y, read.row[present] + 1, names, origin, counts, errors)


def _measured(
    read: Column,
    present: NDArray[np.intp],
    errors: Array,
    error_missing: float | None,
    path: Path,
) -> tuple[NDArray[np.intp], Array, int]:
    """Return the rows that are kept, their errors, and how many have none.

    Parameters
    ----------
    read : Column
    present : ndarray of int, shape (N,)
        Rows with a value.
    errors : ndarray, shape (N,)
        Theirs, NaN where there is none.
    error_missing : float or None
        With a number all rows are kept.
    path : Path
        For the message.

    Raises
    ------
    InputError
        If no row has an error.
    """
    none = np.isnan(errors)
    each = np.ones(none.size, dtype=np.int64) if read.counts is None else read.counts[present]
    without = int(each[none].sum())
    if none.all() and error_missing is None:
        raise InputError(
            f"{path}: no value of column '{read.name}' has an error; name another column, or give "
            "all the same: data.error_missing = 0.05"
        )
    if without:
        what = "dropped" if error_missing is None else f"given an error of {error_missing:g}"
        remedy = "; data.error_missing = 0.05 keeps them" if error_missing is None else ""
        _notices.warning(
            "%s: %s of %s values have no error and are %s%s",
            path,
            f"{without:,}",
            f"{int(each.sum()):,}",
            what,
            remedy,
        )
    if error_missing is not None:
        return present, errors, without
    return present[~none], errors[~none], without


def _opened(path: Path, column: str | None) -> Table:
    """Open a file of any kind that can be read."""
    with explained(path):
        kind = kind_of_file(path)
    return CsvFile.open(path) if kind == "text" else AstroTable.open(path, kind, column)


def list_datasets() -> list[Listing]:
    """Return every data set that has a name, and whether it is at hand. Asks no network."""
    return [Listing(dataset, _status(dataset)) for dataset in _DATASETS]


def fetch(name: str) -> Path:
    """Fetch a data set anew and return its file; a bundled one is there already.

    Raises
    ------
    InputError
        If there is no such data set, or it cannot be fetched. An earlier copy is kept.
    """
    dataset = _named(name)
    return bundled("data") / dataset.file if dataset.file else archive.download().path


def describe(name: str) -> Description:
    """Say what a data set holds and where it comes from. Asks no network.

    Raises
    ------
    InputError
        If there is no such data set, or its cached file is damaged.
    """
    dataset = _named(name)
    snapshot = None if dataset.file else archive.cached()
    listing = Listing(dataset, _status(dataset))
    if snapshot is None and dataset.file is None:
        return Description(listing, None, None, None)
    path = snapshot.path if snapshot else bundled("data") / str(dataset.file)
    return Description(listing, path, load_sample(name, offline=True), snapshot)


@dataclass(frozen=True)
class _Located:
    path: Path
    source: str
    dataset: Dataset | None = None


def _locate(source: str | Path, offline: bool, stand_in: Dataset) -> _Located:
    """Find the file: of a data set if one has this name, else at this path."""
    dataset = DATASETS.get(str(source))
    if dataset:
        if dataset.file:
            return _Located(bundled("data") / dataset.file, dataset.source, dataset)
        return _from_archive(dataset, offline, stand_in)
    path = Path(source)
    if not os.path.exists(path):  # False, where Path.exists raises, for a name that cannot be
        raise InputError(_no_such_file(path))
    return _Located(path, str(source))


def _from_archive(dataset: Dataset, offline: bool, stand_in: Dataset) -> _Located:
    """Return the cached table, or fetch it, or take the stand-in and say so."""
    try:
        snapshot = archive.cached()
    except InputError as damage:
        if offline:
            raise
        _notices.warning("%s; fetching it again", damage)
        snapshot = archive.download()
    if snapshot is None:
        if offline:
            return _stand_in(stand_in, "were never fetched, and this run is offline")
        try:
            snapshot = archive.download()
        except InputError as error:
            return _stand_in(stand_in, f"could not be fetched ({error})")
    return _Located(snapshot.path, f"{dataset.source}, {snapshot.date}", dataset)


def _stand_in(stand_in: Dataset, reason: str) -> _Located:
    _notices.warning(
        "the exoplanets %s: this run uses SIMULATED radii, %s, and not real planets. "
        "To fetch the real table run: gmmcompare data fetch exoplanets",
        reason,
        stand_in.name,
    )
    return _Located(bundled("data") / str(stand_in.file), stand_in.source, stand_in)


def _transformed(read: Column, present: NDArray[np.intp], transform: str, path: Path) -> Array:
    y = read.values[present]
    if transform == "none":
        return y
    if (y <= 0).any():
        bad = np.flatnonzero(y <= 0)
        raise InputError(
            f"{path}: column '{read.name}' has {bad.size} values that are zero or negative, the "
            f"first {y[bad[0]]:g} in row {read.row[present[bad[0]]] + 1} below the header, and "
            f"transform '{transform}' needs positive ones; remove those rows, or use transform "
            "'none'"
        )
    return np.log10(y) if transform == "log10" else np.log(y)


def _status(dataset: Dataset) -> str:
    if dataset.file:
        return "bundled"
    try:
        snapshot = archive.cached()
    except InputError:
        return "damaged"
    if snapshot is None:
        return "not fetched"
    return f"cached ({snapshot.date[:10]}, {snapshot.rows:,} rows)"


def _named(name: str) -> Dataset:
    if name not in DATASETS:
        raise InputError(
            f"no data set '{name}'{did_you_mean(name, DATASETS)}; there are: {', '.join(DATASETS)}"
        )
    return DATASETS[name]


def _no_such_file(path: Path) -> str:
    beside = [str(p) for p in path.parent.glob("*.csv")] if path.parent.is_dir() else []
    return (
        f"{path}: no such file{did_you_mean(str(path), [*DATASETS, *beside])}; "
        f"give a CSV file or a data set: {', '.join(DATASETS)}"
    )
