"""CSV files of draws: one, or a folder of them in which Stan keeps other things as well.

CmdStan's formats: "CmdStan User's Guide", chapters Stan CSV File Format and stansummary. Files are
told apart by what they hold, as their names are the user's.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gmmcompare.engines.imported.columns import CHAIN, arrays_of, by_chain
from gmmcompare.engines.imported.found import Found
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

_ADAPTED = "# Adaptation terminated"
_SETTING = re.compile(r"#\s*(\w+)\s*=\s*([^\s(]+)")
_SUMMARY = {"mean", "median", "sd", "stddev", "mad", "mcse", "mcse_mean", "r_hat", "rhat", "n_eff"}
_SUMMARY |= {"ess_bulk", "ess_tail", "q5", "q95", "hdi_3%", "hdi_97%"}
_NO_DRAWS = {
    "optimize": "an optimum",
    "variational": "a variational approximation",
    "pathfinder": "Pathfinder's approximation",
    "laplace": "a Laplace approximation",
}


@dataclass(frozen=True, eq=False)
class CsvDraws:
    """One CSV file.

    Attributes
    ----------
    path : Path
    frame : DataFrame
        Rows after warmup.
    settings : mapping of str to str
        What Stan's comment lines say, such as ``num_samples``.
    other : str
        What the file is if it is no draws, in words; else empty.
    """

    path: Path
    frame: DataFrame
    settings: Mapping[str, str]
    other: str = ""

    @property
    def is_stan(self) -> bool:
        """Whether Stan wrote it."""
        return "lp__" in self.frame


def read_csv_files(paths: Sequence[Path], place: Path) -> Found:
    """Read CSV files of draws: one chain each, or told by a column ``.chain`` or ``chain``.

    Parameters
    ----------
    paths : sequence of Path
    place : Path
        The folder, or the file, as messages call it.

    Raises
    ------
    InputError
        If there are no draws in them, one was cut off, or they are not of one run.
    """
    files = [_opened(path) for path in paths]
    used, notes = _of_one_run(files, place)
    chains = [chain for file in used for chain in by_chain(_with_chains(file), file.path)]
    lengths = sorted({len(chain) for chain in chains})
    if len(lengths) > 1:
        raise InputError(f"{place}: chains differ in length: {lengths}; is one unfinished?")
    gathered = [arrays_of(chain) for chain in chains]
    names = [name for name in gathered[0] if all(name in arrays for arrays in gathered)]
    arrays = {n: np.stack([a[n] for a in gathered]) for n in names}
    stats: dict[str, Array] = {}
    if "divergent__" in arrays:
        stats["diverging"] = np.asarray(arrays.pop("divergent__") > 0)
    return Found(arrays, stats=stats, notes=notes)


def _opened(path: Path) -> CsvDraws:
    """Read a file and tell what it is; draws of the warmup stand before the end of adaptation."""
    import pandas as pd

    text = _text(path)
    try:
        before, adapted, after = text.partition(_ADAPTED)
        head = next((line for line in before.splitlines() if line and line[0] != "#"), "")
        separator = next((s for s in ",;\t" if s in head), r"\s+")
        frame = pd.read_csv(
            io.StringIO(f"{head}\n#{after}" if adapted else text),
            comment="#",
            sep=separator,
            skipinitialspace=True,
            # R's write.table has a header that is one cell shorter than the rows.
            index_col=None if separator == r"\s+" else False,
        )
    except ValueError as error:
        reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise InputError(f"{path}: is not a CSV file of draws: {reason}") from None
    settings = dict(_SETTING.findall(text))
    file = CsvDraws(path, frame, settings, _what_else(frame, settings))
    if file.other:
        return file
    _refuse_torn_rows(file, text)
    return _complete(file, bool(adapted))


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{path}: is not a CSV file of draws: it is not text") from None
    if all(line.startswith("#") or not line.strip() for line in text.splitlines()):
        raise InputError(
            f"{path}: is empty, or has comment lines only: its run has not begun to draw, or "
            "failed; let it end, or leave the file out"
        )
    return text


def _what_else(frame: DataFrame, settings: Mapping[str, str]) -> str:
    """Say what a file is that holds no draws."""
    columns = {str(c).strip().lower() for c in frame.columns}
    if settings.get("method") in _NO_DRAWS:
        return f"{_NO_DRAWS[settings['method']]}, not draws of MCMC"
    if {"total_time", "thread_id"} <= columns:
        return "Stan's profile of a program"
    if len(_SUMMARY & columns) >= 2:
        return "a summary of draws"
    momenta = {c.removeprefix("p_") for c in columns if c.startswith("p_")}
    gradients = {c.removeprefix("g_") for c in columns if c.startswith("g_")}
    if momenta and momenta == gradients:
        return "Stan's diagnostic file, in unconstrained units"
    return ""


def _refuse_torn_rows(file: CsvDraws, text: str) -> None:
    """Refuse a last row that is short, and text among Stan's numbers."""
    import pandas as pd

    rows = [line for line in text.splitlines() if line and line[0] != "#"]
    if len(rows) > 1 and rows[-1].count(",") < rows[0].count(","):
        raise InputError(
            f"{file.path}: the last row is cut short: the file was cut off, or its run is "
            "unfinished; let it end, or leave the file out"
        )
    for name in file.frame if file.is_stan and len(file.frame) else ():
        if not pd.api.types.is_numeric_dtype(file.frame[name]):
            raise InputError(
                f"{file.path}: {name} has text among its draws; is the file cut short? Let its run "
                "end, or leave the file out"
            )


def _complete(file: CsvDraws, adapted: bool) -> CsvDraws:
    """Leave out saved warmup, and refuse a file with fewer draws than were asked for."""
    frame, said = file.frame, file.settings
    wanted = _kept(said, "num_samples")
    if wanted is None:
        return file
    saved = said.get("save_warmup") in ("1", "true") and not adapted
    frame = frame.iloc[_kept(said, "num_warmup") or 0 :] if saved else frame
    if len(frame) < wanted:
        raise InputError(
            f"{file.path}: has {len(frame):,} of {wanted:,} draws: it was cut off, or its run is "
            "unfinished; let it end, or leave the file out"
        )
    return CsvDraws(file.path, frame, said)


def _kept(settings: Mapping[str, str], what: str) -> int | None:
    """Return how many draws Stan was to write, after thinning."""
    number, thin = settings.get(what, ""), settings.get("thin", "1")
    if not number.isdigit() or not thin.isdigit() or thin == "0":
        return None
    return -(-int(number) // int(thin))


def _with_chains(file: CsvDraws) -> DataFrame:
    """Tell the chains of PyStan's table apart, whose rows go from chain to chain.

    Each chain has a step size of its own.
    """
    frame = file.frame
    if "stepsize__" not in frame or any(name in frame for name in CHAIN):
        return frame
    sizes = frame["stepsize__"]
    draws = sizes.value_counts()
    if draws.size <= 1 or draws.nunique() > 1 or draws.iloc[0] < draws.size:  # or it is jittered
        return frame
    return frame.assign(chain=sizes.factorize()[0])


def _of_one_run(files: Sequence[CsvDraws], place: Path) -> tuple[list[CsvDraws], tuple[str, ...]]:
    """Choose the files that hold the chains of one run; the others are named."""
    draws = [file for file in files if not file.other]
    others = {file.path.name: file.other for file in files if file.other}
    if any(file.is_stan for file in draws):
        others |= {f.path.name: "not Stan's draws" for f in draws if not f.is_stan}
        draws = [file for file in draws if file.is_stan]
    named = ", ".join(f"{name} ({what})" for name, what in others.items())
    if not draws:
        said = f"is {others[place.name]}" if place.is_file() else f"holds no draws but {named}"
        raise InputError(f"{place}: {said}; give the files that the sampler wrote its draws to")
    _refuse_mixtures_of_runs(draws, place)
    notes = (f"not read in {place}: {named}",) if named else ()
    return draws, notes


def _refuse_mixtures_of_runs(draws: Sequence[CsvDraws], place: Path) -> None:
    first = draws[0]
    for file in draws[1:]:
        if set(file.frame) != set(first.frame):
            raise InputError(
                f"{place}: {first.path.name} and {file.path.name} have different columns, as those "
                "of two models; give a folder that holds one run"
            )
    ids = [file.settings.get("id", "") for file in draws]
    twice = [number for number, times in Counter(ids).items() if times > 1]
    if twice and len(set(ids)) > 1:
        names = [f.path.name for f in draws if f.settings.get("id", "") == twice[0]]
        raise InputError(
            f"{place}: chain {twice[0]} stands in {' and in '.join(names[:2])}: two runs; give a "
            "folder that holds one, or name its files by a pattern such as 'run2_*.csv'"
        )
