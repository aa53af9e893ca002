"""`Agreement`: draws of any model side by side, summarised and judged pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from gmmcompare.comparison.agreement import PairVerdict, judge_draws
from gmmcompare.comparison.checks import Checked, check
from gmmcompare.comparison.diagnostics import Convergence, convergence
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.general import GeneralDraws, common_parameters, evidence_of_all
from gmmcompare.comparison.judged import Judged
from gmmcompare.comparison.mixtures import aligned_mixtures, are_mixtures
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Provider = Callable[[Sequence[GeneralDraws]], tuple[list[GeneralDraws], list[Evidence]]]
"""Puts labels of draws in order, and returns functions of them that can be compared."""
Redraw = Callable[[str, int], GeneralDraws | None]
"""``redraw(engine, round)`` runs an engine with a fresh seed and 4**(round - 1) times the draws."""


@dataclass(frozen=True)
class Column:
    """One engine's summary of every scalar, by name."""

    mean: Mapping[str, float]
    sd: Mapping[str, float]
    convergence: Convergence
    seconds: float = float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class Agreement(Judged):
    """Draws of several engines, and whether they are of one posterior.

    Attributes
    ----------
    draws : dict of str to GeneralDraws
        By engine; the parameters that are compared.
    pairs : tuple of PairVerdict
    left_out : tuple of str
        Parameters that only some engines have.
    seconds : dict of str to float
        Of engines that were run here.
    """

    draws: Mapping[str, GeneralDraws]
    pairs: tuple[PairVerdict, ...]
    left_out: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def names_of_engines(self) -> tuple[str, ...]:
        """Names of all engines."""
        return tuple(self.draws)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every engine's summary of every scalar; the verdict needs none."""
        took = self.seconds
        return {name: _column(d, took.get(name, float("nan"))) for name, d in self.draws.items()}

    @property
    def scalars(self) -> tuple[str, ...]:
        """Names of all scalars that are compared."""
        return tuple(next(iter(self.draws.values())).scalars())

    def table(self) -> pd.DataFrame:
        """Return mean, sd, MCSE, bulk ESS and R-hat of every scalar.

        Returns
        -------
        pandas.DataFrame
            Index scalar; columns (engine, "mean" | "sd" | "mcse" | "ess" | "rhat").
        """
        import pandas as pd

        columns = {}
        for name, c in self.columns.items():
            kinds = {
                "mean": c.mean,
                "sd": c.sd,
                "mcse": c.convergence.mcse_mean,
                "ess": c.convergence.ess_bulk,
                "rhat": c.convergence.rhat,
            }
            columns.update({(name, kind): pd.Series(dict(v)) for kind, v in kinds.items()})
        return pd.DataFrame(columns).loc[list(self.scalars)]

    def to_dict(self) -> dict[str, Any]:
        """Return verdict, engines and pairs as numbers, strings, lists and dicts."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "engines": {
                name: {
                    "chains": self.draws[name].shape[0],
                    "draws": self.draws[name].shape[1],
                    "divergences": self.draws[name].divergences,
                    "mean": dict(c.mean),
                    "sd": dict(c.sd),
                    "ess_min": c.convergence.worst_ess[1],
                    "rhat_max": c.convergence.worst_rhat[1],
                    "seconds": c.seconds,
                    "notes": list(self.draws[name].notes),
                }
                for name, c in self.columns.items()
            },
            "pairs": [pair.to_dict() for pair in self.pairs],
            "left_out": list(self.left_out),
        }

    def _repr_html_(self) -> str:
        """Show verdict and table in a notebook."""
        html: str = self.table().round(4).to_html()
        return f"<p><strong>{self.verdict}</strong>. {self.sentence()}</p>{html}"


def agree_on(
    everyone: Sequence[GeneralDraws],
    chosen: Sequence[str] = (),
    symmetries: Sequence[Sequence[str]] = (),
    redraw: Redraw | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Agreement:
    """Judge whether draws are of one posterior, every pair of engines.

    The false-positive rate is that of the whole matrix of pairs.

    Parameters
    ----------
    everyone : sequence of GeneralDraws
        At least two.
    chosen : sequence of str, optional
        Parameters to compare; by default all that are common.
    symmetries : sequence of sequence of str, optional
        Parameters whose labels carry no meaning.
    redraw : callable, optional
        Runs an engine again; see `agreement.judge_draws`.
    seconds : mapping of str to float, optional
        How long engines ran.

    Raises
    ------
    InputError
        If there are fewer than two, two have one name, or nothing is common to them.
    """
    names = [d.name for d in everyone]
    if len(everyone) < 2:
        raise InputError("nothing to compare: give draws of at least two samplers")
    if len(set(names)) < len(names):
        raise InputError(f"two have one name: {', '.join(names)}; give each its own, as NAME=FILE")
    common, left_out = common_parameters(everyone, chosen)
    draws = {d.name: d.only(common) for d in everyone}
    groups = [[n for n in group if n in common] for group in symmetries]
    prepare = _provider(list(draws.values()), groups)
    ordered, evidence = prepare(list(draws.values()))
    pairs = _judge(dict(zip(names, evidence, strict=True)), draws, prepare, redraw)
    return Agreement({d.name: d for d in ordered}, pairs, tuple(left_out), seconds or {})


def _provider(everyone: Sequence[GeneralDraws], groups: Sequence[Sequence[str]]) -> Provider:
    """Return what prepares draws: the mixture's, whose labels are aligned, or the general one."""
    if not groups and are_mixtures(everyone):
        return aligned_mixtures
    return lambda some: (
        [d.sorted_by_labels(groups) for d in some],
        evidence_of_all(some, groups),
    )


def _judge(
    evidence: Mapping[str, Evidence],
    draws: Mapping[str, GeneralDraws],
    prepare: Provider,
    redraw: Redraw | None,
) -> tuple[PairVerdict, ...]:
    every = list(evidence.values())

    @cache
    def again(name: str, this_round: int) -> Checked | None:
        new = redraw(name, this_round) if redraw else None
        if new is None:
            return None
        rest = [d for other, d in draws.items() if other != name]
        _, repeated = prepare([new.only(list(draws[name].arrays)), *rest])
        return check(repeated[0], every)

    return judge_pairs(evidence, redraw and again)


def judge_pairs(
    evidence: Mapping[str, Evidence],
    again: Callable[[str, int], Checked | None] | None = None,
) -> tuple[PairVerdict, ...]:
    """Judge every pair of engines by what was prepared of their draws.

    Parameters
    ----------
    evidence : mapping of str to Evidence
        By engine.
    again : callable, optional
        ``again(engine, round)`` repeats one with a fresh seed; see `agreement.judge_draws`.
    """
    every = list(evidence.values())
    checked = {name: check(own, every) for name, own in evidence.items()}
    pairs = list(combinations(evidence, 2))
    return tuple(judge_draws(checked[a], checked[b], again, len(pairs)) for a, b in pairs)


def _column(draws: GeneralDraws, seconds: float) -> Column:
    scalars: dict[str, Array] = draws.scalars()
    return Column(
        {name: float(v.mean()) for name, v in scalars.items()},
        {name: float(v.std()) for name, v in scalars.items()},
        convergence(scalars),
        seconds,
    )
