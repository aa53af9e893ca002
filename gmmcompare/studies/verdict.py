"""How often does the verdict err? Comparisons whose truth is known, repeated, and written up.

Finished repetitions are kept as they are reached, so that a study can be interrupted and continued.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.comparison.functionals import STATISTICS
from gmmcompare.engines.base import no_progress
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.tasks import Tasks, on_this_machine
from gmmcompare.studies.simulated import (
    CASES,
    CHANGED,
    EQUAL,
    PROBLEM,
    Case,
    Pool,
    run_case,
    true_size,
)

Progress = Callable[[float], None]

POOL_DRAWS = 2**18
_OUTCOMES = "outcomes.jsonl"
_POOL = "pool.npy"
_IDENTITY = "study.json"


def repetitions_of(case: Case, repetitions: int) -> int:
    """Return how often a case is repeated: less often where no error rate is promised."""
    if case in EQUAL:
        share = 1 if case.ess in (1000, 4000) else 10
    else:
        share = 4 if case.shift == 0.2 else 20
    return -(-repetitions // share)


def run_verdict_study(
    folder: str | Path,
    repetitions: int = 1000,
    jobs: int = 2,
    seed: int = 4,
    progress: Progress = no_progress,
    tasks: Tasks | None = None,
) -> None:
    """Repeat every case, keeping each outcome in ``folder/outcomes.jsonl`` as it is reached.

    Parameters
    ----------
    folder : str or Path
        A study that is there is continued: only what is missing is run.
    repetitions : int
        Of each case for which an error rate is promised; a quarter of it for the others.
    jobs : int
        Processes.
    seed : int
        Every repetition's own seed is derived from it: the result does not depend on the place.
    progress : callable
        Is told the finished fraction.
    tasks : Tasks, optional
        Where repetitions run instead, such as a cluster (see `runtime.tasks.open_tasks`).

    Raises
    ------
    InputError
        If the folder holds a study of another seed or version, or cannot be written.
    TaskError
        If repetitions fail where they run; the others are kept, and a rerun tries these again.
    """
    study = _Study(Path(folder).resolve(), seed, POOL_DRAWS)
    _begin(study)
    done = {(o["case"], o["repetition"]) for o in load_outcomes(study.folder)}
    missing = [
        _Repetition(study, case, repetition)
        for repetition in range(repetitions)
        for case in CASES
        if repetition < repetitions_of(case, repetitions) and (case.key, repetition) not in done
    ]
    total = sum(repetitions_of(case, repetitions) for case in CASES)
    progress(1 - len(missing) / total)
    place = tasks or on_this_machine(jobs)
    with (study.folder / _OUTCOMES).open("a", encoding="utf-8") as file:
        for finished, (_, outcome) in enumerate(place.run(_outcome, missing), start=1):
            file.write(json.dumps(outcome) + "\n")
            file.flush()
            progress(1 - (len(missing) - finished) / total)


def _begin(study: _Study) -> None:
    """Write what identifies the study, and the pool; or check that it is the same study."""
    folder, identity = study.folder, study.identity
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _read_identity(folder)
        if found:
            if found != identity:
                raise InputError(
                    f"{folder}: holds another study ({_phrase(found)}, asked for "
                    f"{_phrase(identity)}); give another folder"
                )
            _mend(folder / _OUTCOMES)
            return
        with replacing(folder / _POOL) as temporary:
            np.save(temporary, Pool.draw(study.draws, study.seed).table)
        (folder / _IDENTITY).write_text(json.dumps(identity), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from None


def _read_identity(folder: Path) -> dict[str, Any]:
    """Return what identifies the study in a folder; nothing where there is none."""
    path = folder / _IDENTITY
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _phrase(identity: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in identity.items())


def _mend(path: Path) -> None:
    """Drop a last line that an interruption left unfinished."""
    if path.is_file():
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            path.write_bytes(content[: content.rfind(b"\n") + 1])


def load_outcomes(folder: str | Path) -> list[dict[str, Any]]:
    """Return the outcomes kept in a study's folder, one dict per repetition."""
    path = Path(folder) / _OUTCOMES
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


class _Study(NamedTuple):
    """Which study: where it is kept, and what its pool is drawn from."""

    folder: Path
    seed: int
    draws: int

    @property
    def identity(self) -> dict[str, Any]:
        """What is kept beside the outcomes, so that no two studies are mixed."""
        return {"seed": self.seed, "version": __version__, "pool": self.draws}


class _Repetition(NamedTuple):
    """One comparison to be made."""

    study: _Study
    case: Case
    number: int


@lru_cache(maxsize=1)
def _pool_of(study: _Study) -> Pool:
    """Return the pool, shared between processes through its file.

    On another machine, which has no such file, it is drawn again: the same numbers.
    """
    if _read_identity(study.folder) == study.identity:
        return _load_pool(study.folder)
    return Pool.draw(study.draws, study.seed)


def _load_pool(folder: Path) -> Pool:
    small = Pool.draw(2, 0)
    return Pool(small.names, small.label_free, np.load(folder / _POOL, mmap_mode="r"))


def _outcome(what: _Repetition, progress: Progress) -> dict[str, Any]:
    found = run_case(_pool_of(what.study), what.case, what.number, what.study.seed)
    return {
        "case": what.case.key,
        "repetition": what.number,
        "verdict": found.verdict,
        "suspect": found.suspect,
        "rounds": found.rounds,
    }


# --- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frequency:
    """How often something happened, with its 95 % Clopper-Pearson interval (1934)."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Both limits, each with an error of 2.5 %."""
        from scipy.stats import binomtest

        found = binomtest(self.count, self.of).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.count / self.of:.1f} ({100 * low:.1f}-{100 * high:.1f})"


VERDICTS = ("agree", "inconclusive", "disagree")
_COLOURS = {"agree": "#0072B2", "inconclusive": "#BBBBBB", "disagree": "#D55E00"}
_HEADINGS = {"equal": "Equal targets", "different": "Different targets", "faulty": "Faulty runs"}


@dataclass(frozen=True)
class Tally:
    """What came out of one case: its outcomes counted."""

    case: Case
    outcomes: tuple[Mapping[str, Any], ...]

    def how_often(self, key: str, *values: object) -> Frequency:
        """Return how often an outcome's entry was one of the values."""
        return Frequency(sum(o[key] in values for o in self.outcomes), len(self.outcomes))


def tally(folder: str | Path) -> list[Tally]:
    """Return what came out of every case that was run."""
    by_case: dict[str, list[dict[str, Any]]] = {}
    for outcome in load_outcomes(folder):
        by_case.setdefault(outcome["case"], []).append(outcome)
    return [Tally(case, tuple(by_case[case.key])) for case in CASES if case.key in by_case]


def _pooled(tallies: Sequence[Tally], key: str, *values: object) -> Frequency | None:
    """Add up frequencies over cases; None where none was run."""
    found = [t.how_often(key, *values) for t in tallies]
    return Frequency(sum(f.count for f in found), sum(f.of for f in found)) if found else None


def promises(tallies: Sequence[Tally]) -> dict[str, Frequency]:
    """Return the errors for which rates are promised, by what they are, as far as they were run."""

    def equal(ess: int) -> list[Tally]:
        return [t for t in tallies if t.case in EQUAL and t.case.ess == ess]

    different = [t for t in tallies if t.case.truth == "different"]
    shifted = [t for t in different if t.case.shift == 0.2]
    faulty = [t for t in tallies if t.case.truth == "faulty"]
    found = {
        "equal, ESS 1,000, called disagree": _pooled(equal(1000), "verdict", "disagree"),
        "equal, ESS 4,000, called disagree": _pooled(equal(4000), "verdict", "disagree"),
        "equal, ESS 10,000, called disagree": _pooled(equal(10_000), "verdict", "disagree"),
        "equal, ESS 200, called anything but inconclusive": _pooled(
            equal(200), "verdict", "agree", "disagree"
        ),
        "different, ESS 200, called agree": _pooled(
            [t for t in different if t.case.ess == 200], "verdict", "agree"
        ),
        "shifted by 0.2 sd, any ESS, called agree": _pooled(shifted, "verdict", "agree"),
        "faulty run, called agree": _pooled(faulty, "verdict", "agree"),
        "faulty run, the wrong engine or none named": _pooled(faulty, "suspect", "a", None),
    }
    return {what: frequency for what, frequency in found.items() if frequency}


def write_verdict_study(
    folder: str | Path, markdown_path: str | Path, figure_path: str | Path
) -> None:
    """Write tables and a figure of a study, finished or not, from the outcomes it kept.

    Raises
    ------
    InputError
        If the folder holds no outcomes, or a file cannot be written.
    """
    folder, page, figure = Path(folder), Path(markdown_path), Path(figure_path)
    tallies = tally(folder)
    if not tallies:
        raise InputError(f"{folder}: holds no outcomes; run `gmmcompare study verdict` first")
    identity = _read_identity(folder)
    pool = _load_pool(folder)
    try:
        for path in (page, figure):
            path.parent.mkdir(parents=True, exist_ok=True)
        _draw_figure(tallies, figure)
        shown = figure.relative_to(page.parent) if page.parent in figure.parents else figure.name
        page.write_text(_page(tallies, pool, identity, str(shown)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _page(tallies: Sequence[Tally], pool: Pool, identity: Mapping[str, Any], figure: str) -> str:
    from gmmcompare.comparison.agreement import ALPHA, CONFIRM_ALPHA, MARGIN, MAX_ROUNDS

    total = sum(len(t.outcomes) for t in tallies)
    lines = [
        "# How often the verdict errs",
        "",
        f"Written by `gmmcompare study verdict` (version {identity['version']}, seed "
        f"{identity['seed']}) from {total:,} comparisons whose truth is known.",
        "",
        f"Engine a is simulated by draws from the exact posterior of a mixture of {PROBLEM.K} "
        f"normals given {PROBLEM.sample.n} observations, engine b by draws that differ from it as "
        f"the tables say: where targets differ, in one of {len(pool.names)} functions alone "
        f"({CHANGED}), the hardest case. Each comparison is the whole procedure: checks, "
        f"{len(pool.names)} functions with {len(STATISTICS)} statistics each, a rejection at level "
        f"{ALPHA:g} after correction repeated with fresh seeds and four times the draws at level "
        f"{CONFIRM_ALPHA:g} in at most {MAX_ROUNDS} rounds, and agreement only if no difference of "
        f"{MARGIN:g} posterior sd is left possible.",
        "",
        "Numbers are percentages with 95 % Clopper-Pearson intervals. A difference below "
        f"{MARGIN:g} sd is one that the procedure may call agreement; the true size is that of the "
        "statistic that shows it best.",
        "",
        "## Errors",
        "",
        "| error | times | of | % (95 % interval) |",
        "|---|--:|--:|--:|",
        *(f"| {what} | {f.count} | {f.of:,} | {f} |" for what, f in promises(tallies).items()),
        "",
        "## Every case",
        "",
        f"![Share of each verdict in every case]({figure})",
    ]
    for truth, heading in _HEADINGS.items():
        of_kind = [t for t in tallies if t.case.truth == truth]
        if of_kind:
            lines += ["", f"### {heading}", "", *_table(of_kind, pool)]
    return "\n".join(lines) + "\n"


def _table(tallies: Sequence[Tally], pool: Pool) -> list[str]:
    head = (
        "| engine b | true size | ESS | comparisons | agree | inconclusive | disagree | repeated |"
    )
    rows = [head, "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for t in tallies:
        size = f"{true_size(pool, t.case):.3f}" if t.case.truth == "different" else ""
        ess = f"{t.case.ess:,} draws" if t.case.gibbs else f"{t.case.ess:,}"
        verdicts = " | ".join(str(t.how_often("verdict", v)) for v in VERDICTS)
        repeated = t.how_often("rounds", *range(2, 10))
        rows.append(
            f"| {t.case.what} | {size} | {ess} | {len(t.outcomes):,} | {verdicts} | {repeated} |"
        )
    return rows


def _draw_figure(tallies: Sequence[Tally], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "verdict", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(7.5, 1.0 + 0.19 * len(tallies)), layout="constrained")
        axes = figure.subplots()
        left = np.zeros(len(tallies))
        rows = np.arange(len(tallies))
        for verdict in VERDICTS:
            shares = [t.how_often("verdict", verdict) for t in tallies]
            width = np.array([100 * f.count / f.of for f in shares])
            axes.barh(rows, width, left=left, color=_COLOURS[verdict], label=verdict, height=0.8)
            left += width
        axes.set_yticks(rows, [t.case.label for t in tallies])
        axes.set_ylim(len(tallies) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xlabel("verdicts (%)")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper center", ncols=len(VERDICTS), frameon=False)
        figure.savefig(path, metadata={"Date": None})
