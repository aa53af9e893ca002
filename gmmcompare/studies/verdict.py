"""How often does the verdict err? Comparisons whose truth is known, repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from gmmcompare.comparison.functionals import STATISTICS
from gmmcompare.comparison.thresholds import (
    ALPHA,
    CONFIRM_ALPHA,
    MARGIN,
    MAX_ROUNDS,
    UNREPEATED_ALPHA,
)
from gmmcompare.engines.base import Problem
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.store import Row, digest
from gmmcompare.studies import markdown
from gmmcompare.studies.markdown import Frequency
from gmmcompare.studies.simulated import (
    CASES,
    CHAINS,
    CHANGED,
    IDENTIFIED,
    PROBLEM,
    Case,
    Pool,
    run_case,
    true_size,
)
from gmmcompare.studies.study import Found, Study


@dataclass(frozen=True)
class VerdictStudy(Study):
    """Comparisons of two simulated engines; in the folder is also the pool that they draw from."""

    cases: tuple[Case, ...] = CASES
    pool_draws: int = 2**18

    name = "verdict"

    @property
    def settings(self) -> dict[str, object]:
        """The size of the pool."""
        return {"pool": self.pool_draws}

    def plan(self, repetitions: int) -> dict[str, int]:
        """Repeat cases less often where no error rate is promised."""
        return {case.key: -(-repetitions // _share(case)) for case in self.cases}

    def prepare(self) -> None:
        """Write the pool, which processes then share through its file."""
        for problem in {_problem(case) for case in self.cases}:
            path = self._pool_file(problem)
            if not path.is_file():
                with replacing(path) as temporary, temporary.open("wb") as file:
                    np.save(file, Pool.draw(self.pool_draws, self.seed, problem).table)

    def _pool_file(self, problem: Problem) -> Path:
        kind = "-identified" if problem is IDENTIFIED else ""
        return self.folder / f"pool{kind}-{digest(self.identity)}.npy"

    def pool(self, case: Case) -> Pool:
        """Return what engines are simulated from in a case.

        On another machine, which has no such file, it is drawn again: the same numbers.
        """
        problem = _problem(case)
        return _pool(self._pool_file(problem), self.pool_draws, self.seed, problem)

    def repeat(self, case: str, number: int) -> Row:
        """Compare two engines, repetitions with fresh seeds included."""
        (chosen,) = (c for c in self.cases if c.key == case)
        found = run_case(self.pool(chosen), chosen, number, self.seed)
        return {"verdict": found.verdict, "suspect": found.suspect, "rounds": found.rounds}

    def tallies(self, found: Found) -> list[Tally]:
        """Return what came out of every case that was run."""
        return [Tally(c, tuple(found[c.key])) for c in self.cases if c.key in found]

    def page(self, found: Found) -> str:
        """Return tables of all errors and of every case."""
        tallies = self.tallies(found)
        return markdown.page(
            "# How often the verdict errs",
            self.origin(found, "comparisons whose truth is known"),
            *_method(self.pool(self.cases[0])),
            "## Errors",
            markdown.table(
                ["error", "times", "of", "% (95 % interval)"],
                [(what, f.count, f"{f.of:,}", f) for what, f in promises(tallies).items()],
            ),
            "## Every case",
            markdown.figure(
                "Share of each verdict in every case", f"figures/{self._figure_file.name}"
            ),
            *(
                block
                for truth, heading in _HEADINGS.items()
                if (of_kind := [t for t in tallies if t.case.truth == truth])
                for block in (f"### {heading}", _table(of_kind, self.pool))
            ),
        )

    @property
    def _figure_file(self) -> Path:
        return self.folder.parent / "figures" / f"{self.folder.name}.svg"

    def write(self) -> Path:
        """Write the page and its figure; see `Study.write`."""
        tallies = self.tallies(self.found())
        with replacing(self._figure_file) as temporary:
            _draw_figure(tallies, temporary)
        return super().write()


def _share(case: Case) -> int:
    """Return of how many repetitions that are asked for a case gets one."""
    if case.is_cheap:
        return 6 if case.slow else 2 if case.antithetic or case.identified else 4
    if case.truth == "equal" and not case.gibbs:
        return 4 if case.ess in (1000, 4000) else 10
    return 4 if case.shift == 0.2 else 20


def _problem(case: Case) -> Problem:
    return IDENTIFIED if case.identified else PROBLEM


@lru_cache(maxsize=2)
def _pool(path: Path, draws: int, seed: int, problem: Problem) -> Pool:
    if not path.is_file():
        return Pool.draw(draws, seed, problem)
    small = Pool.draw(2, 0, problem)
    return replace(small, table=np.load(path, mmap_mode="r"))


# --- writing --------------------------------------------------------------------------------------


VERDICTS = ("agree", "inconclusive", "disagree")
_COLOURS = {"agree": "#0072B2", "inconclusive": "#BBBBBB", "disagree": "#D55E00"}
_HEADINGS = {"equal": "Equal targets", "different": "Different targets", "faulty": "Faulty runs"}


@dataclass(frozen=True)
class Tally:
    """What came out of one case: its outcomes counted."""

    case: Case
    outcomes: tuple[Row, ...]

    def how_often(self, key: str, *values: object) -> Frequency:
        """Return how often an outcome's entry was one of the values."""
        return Frequency(sum(o[key] in values for o in self.outcomes), len(self.outcomes))


def _pooled(tallies: Sequence[Tally], key: str, *values: object) -> Frequency | None:
    """Add up frequencies over cases; None where none was run."""
    found = [t.how_often(key, *values) for t in tallies]
    return Frequency(sum(f.count for f in found), sum(f.of for f in found)) if found else None


def promises(tallies: Sequence[Tally]) -> dict[str, Frequency]:
    """Return the errors for which rates are promised, by what they are, as far as they were run."""

    def equal(ess: int) -> list[Tally]:
        return [t for t in plain if t.case.ess == ess]

    cheap = [t for t in tallies if t.case.is_cheap]
    plain = [t for t in tallies if t.case.truth == "equal" and not t.case.is_cheap]
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
        "equal, one with a slow mode, called disagree": _pooled(
            [t for t in cheap if t.case.slow], "verdict", "disagree"
        ),
        "equal, one of antithetic chains, called disagree": _pooled(
            [t for t in cheap if t.case.antithetic], "verdict", "disagree"
        ),
        "equal, other numbers and lengths of chains, called disagree": _pooled(
            [t for t in cheap if t.case.chains != CHAINS], "verdict", "disagree"
        ),
        "equal, priors that differ by component, called disagree": _pooled(
            [t for t in cheap if t.case.identified], "verdict", "disagree"
        ),
        "different, ESS 200, called agree": _pooled(
            [t for t in different if t.case.ess == 200], "verdict", "agree"
        ),
        "shifted by 0.2 sd, any ESS, called agree": _pooled(shifted, "verdict", "agree"),
        "correlation 0.3 of two parameters, called agree": _pooled(
            [t for t in different if t.case.dependence], "verdict", "agree"
        ),
        "components in the wrong order or swapped, called agree": _pooled(
            [t for t in different if t.case.labels != "own"], "verdict", "agree"
        ),
        "near copies, judged": _pooled(
            [t for t in faulty if t.case.near], "verdict", "agree", "disagree"
        ),
        "faulty run, called agree": _pooled(faulty, "verdict", "agree"),
        "faulty run, the wrong engine or none named": _pooled(faulty, "suspect", "a", None),
    }
    return {what: frequency for what, frequency in found.items() if frequency}


def _method(pool: Pool) -> tuple[str, str]:
    return (
        f"Engine a draws from the exact posterior of a mixture of {PROBLEM.K} normals given "
        f"{PROBLEM.sample.n} observations. Engine b differs from it as the tables say; where the "
        f"targets differ, they do so in one of {len(pool.names)} functions alone ({CHANGED}), the "
        "hardest case. Each comparison is the whole procedure: convergence checks, "
        f"{len(pool.names)} functions with {len(STATISTICS)} statistics each and the dependence of "
        "every pair of parameters (of a few functions where chains are of a special kind), a "
        f"Bonferroni-corrected test at level {ALPHA:g} whose rejections are repeated with fresh "
        f"seeds and four times the draws at level {CONFIRM_ALPHA:g} in at most {MAX_ROUNDS} "
        f"rounds (at once at level {UNREPEATED_ALPHA:g} where draws were made elsewhere), and "
        f"agreement only if differences of {MARGIN:g} posterior sd can be excluded.",
        "Numbers are percentages with 95 % Clopper-Pearson intervals. Differences below "
        f"{MARGIN:g} sd may be called agreement. The true size of a difference is that of the "
        "statistic that shows it best.",
    )


def _table(tallies: Sequence[Tally], pool: Callable[[Case], Pool]) -> str:
    head = ["engine b", "true size", "ESS", "comparisons", *VERDICTS, "repeated"]
    return markdown.table(head, [_cells(t, pool(t.case)) for t in tallies])


def _cells(t: Tally, pool: Pool) -> list[object]:
    return [
        t.case.what,
        f"{true_size(pool, t.case):.3f}" if t.case.truth == "different" else "",
        f"{t.case.ess:,} draws" if t.case.gibbs else f"{t.case.ess:,}",
        f"{len(t.outcomes):,}",
        *(t.how_often("verdict", verdict) for verdict in VERDICTS),
        t.how_often("rounds", *range(2, MAX_ROUNDS + 1)),
    ]


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
