"""Astronomers' tables: FITS, VOTable, IPAC and CDS, read by astropy (``gmmcompare[astro]``)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.data.kinds import Kind
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_NAMES = {"fits": "FITS", "votable": "VOTable", "ascii.ipac": "IPAC", "ascii.cds": "CDS"}


@dataclass(frozen=True, eq=False)
class AstroTable:
    """A table in memory.

    Attributes
    ----------
    path : Path
    header : tuple of str
        Columns with one value in each row.
    content : DataFrame
        Numbers as floats, NaN where they are masked; all else as text.
    """

    path: Path
    header: tuple[str, ...]
    content: pd.DataFrame

    @classmethod
    def open(cls, path: Path, kind: Kind, column: str | None = None) -> AstroTable:
        """Read the file; of several tables the one that has the column.

        Parameters
        ----------
        path : Path
        kind : str
            Which of astropy's formats it is.
        column : str, optional

        Raises
        ------
        InputError
            If astropy is not installed, the file is damaged or holds no table, or several tables
            will do.
        """
        import pandas as pd

        name = _NAMES[kind]
        try:
            import astropy.table  # noqa: F401
        except ImportError:
            raise InputError(
                f"{path}: reading {name} needs astropy; install it by pip install "
                "'gmmcompare[astro]', or save the table as CSV"
            ) from None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of units and versions that are not by the book
                tables = _TABLES.get(kind, _read_ascii)(path, kind)
        except Exception as error:  # whatever a damaged file makes astropy raise
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"{path}: is not {name} or was cut off ({reason}); get the file again"
            ) from None
        table = _chosen(path, name, tables, column)
        content = {n: _column(table[n]) for n in table.colnames if table[n].ndim == 1}
        return cls(path, tuple(content), pd.DataFrame(content))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.content)

    def series(self, position: int, **_: Any) -> pd.Series[Any]:
        """Return one column."""
        return self.content.iloc[:, position]

    def frame(self) -> pd.DataFrame:
        """Return all columns."""
        return self.content


def _read_fits(path: Path, _: Kind) -> dict[str, Any]:
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(path) as units:
        found = [i for i, u in enumerate(units) if isinstance(u, fits.BinTableHDU | fits.TableHDU)]
        return {f"extension {i} ({units[i].name})": Table.read(units[i]) for i in found}


def _read_votable(path: Path, _: Kind) -> dict[str, Any]:
    from astropy.io import votable

    with path.open("rb") as file:
        parsed = votable.parse(file)
        tables = list(parsed.iter_tables())
        return {
            str(t.name or t.ID or f"table {i + 1}"): t.to_table(use_names_over_ids=True)
            for i, t in enumerate(tables)
        }


def _read_ascii(path: Path, kind: Kind) -> dict[str, Any]:
    from astropy.table import Table

    kinds = ("ascii.cds", "ascii.mrt") if kind == "ascii.cds" else (kind,)
    for number, name in enumerate(kinds, 1):
        try:
            return {"table": Table.read(path, format=name)}
        except Exception:  # the last one's word is taken
            if number == len(kinds):
                raise
    raise AssertionError("there is always a format")


_TABLES = {"fits": _read_fits, "votable": _read_votable}


def _chosen(path: Path, name: str, tables: dict[str, Any], column: str | None) -> Any:
    if not tables:
        raise InputError(
            f"{path}: this {name} file holds no table; give one that does, or a CSV file"
        )
    fit = [key for key, table in tables.items() if column is None or column in table.colnames]
    if len(fit) == 1 or not fit:
        return tables[fit[0] if fit else next(iter(tables))]
    which = f"a column '{column}'" if column else "columns"
    raise InputError(
        f"{path}: {len(fit)} tables have {which}: {', '.join(fit)}; save the one you mean to a "
        "file of its own"
    )


def _column(column: Any) -> Any:
    """Return the values of astropy's column for pandas, in this machine's order of bytes."""
    if column.dtype.kind in "iuf":
        values = np.ma.asarray(getattr(column, "value", column)).astype(float)
        return np.ma.filled(values, np.nan)
    return [str(cell) for cell in column]
