"""`Selection`: the criteria for several numbers of components side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gmmcompare.comparison.reasons import Reason, to_codes
from gmmcompare.comparison.words import clause, phrase, sentence
from gmmcompare.runtime.errors import InputError
from gmmcompare.selection.candidate import Candidate, Sampled
from gmmcompare.selection.conclusions import (
    Conclusion,
    conclusions,
    disagreements,
    sampling_doubts,
)
from gmmcompare.selection.criteria import Criteria, Probability
from gmmcompare.selection.evidence import MAX_COMPONENTS
from gmmcompare.selection.loo import LooDifference

if TYPE_CHECKING:
    import pandas as pd


def parse_components(text: str) -> tuple[int, ...]:
    """Read numbers of components, such as ``1-6`` or ``2,3,5``, in ascending order.

    Raises
    ------
    InputError
        If the text is anything else, or asks for less than 1, more than 10, or fewer than two.
    """
    found: set[int] = set()
    for part in text.split(","):
        matched = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (1, 0)
        if first > last:
            raise InputError(f"--components {text}: write numbers or a range, as in 1-6 or 2,3,5")
        if first < 1 or last > MAX_COMPONENTS:
            raise InputError(f"--components {text}: each must be from 1 to {MAX_COMPONENTS}")
        found.update(range(first, last + 1))
    if len(found) < 2:
        raise InputError(f"--components {text}: give at least two numbers to choose from")
    return tuple(sorted(found))


@dataclass(frozen=True, eq=False)
class Selection(Criteria):
    """Numbers of components, compared: the criteria, and what follows from them."""

    @cached_property
    def conclusions(self) -> tuple[Conclusion, ...]:
        """What each criterion prefers, how clearly, and what stands against it."""
        return conclusions(self)

    @cached_property
    def doubts(self) -> tuple[Reason, ...]:
        """Why draws are in doubt or missing, by number of components and engine."""
        return sampling_doubts(self)

    @cached_property
    def disagreements(self) -> tuple[Reason, ...]:
        """Where criteria or engines differ, and why they may."""
        return disagreements(self, self.conclusions)

    def table(self) -> pd.DataFrame:
        """Return every criterion by K, with standard errors."""
        import pandas as pd

        rows = {c.K: self._row(c) for c in self.candidates}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("components")

    def _row(self, candidate: Candidate) -> dict[str, float]:
        row: dict[str, float] = {}
        if candidate.information:
            found = candidate.information
            row.update(log_lik=found.log_lik, aic=found.aic, bic=found.bic, icl=found.icl)
        for name, s in candidate.sampled.items():
            probability = self.probabilities(name)[candidate.K]
            row.update(
                {
                    f"{name}_elpd": s.loo.elpd,
                    f"{name}_elpd_se": s.loo.se,
                    f"{name}_elpd_mcse": s.loo.mcse,
                    f"{name}_log_evidence": s.evidence.value,
                    f"{name}_log_evidence_se": s.evidence.se,
                    f"{name}_probability": probability.value,
                }
            )
        return row

    def to_dict(self) -> dict[str, Any]:
        """Return the candidates and preferences of ``selection.json``."""
        return {
            "components": list(self.components),
            "preferred": self._preferred(),
            "candidates": [self._entry(c) for c in self.candidates],
            "conclusions": [c.to_dict() for c in self.conclusions],
            "doubts": [sentence(reason) for reason in self.doubts],
            "disagreements": [sentence(reason) for reason in self.disagreements],
            "codes": {
                "doubts": to_codes(self.doubts),
                "disagreements": to_codes(self.disagreements),
            },
        }

    def _preferred(self) -> dict[str, Any]:
        criteria = {name: self.best(name) for name in ("aic", "bic", "icl")}
        by_engine = {
            name: {e: self.best(name, e) for e in self.engines} for name in ("loo", "evidence")
        }
        return {**criteria, **by_engine}

    def _entry(self, candidate: Candidate) -> dict[str, Any]:
        found = candidate.information
        return {
            "components": candidate.K,
            "em": None if found is None else dict(vars(found)),
            "engines": {
                name: _engine_entry(
                    s,
                    self.probabilities(name)[candidate.K],
                    self.loo_differences(name).get(candidate.K),
                )
                for name, s in candidate.sampled.items()
            },
            "notes": {name: phrase(note) for name, note in candidate.notes.items()},
            "seconds": dict(candidate.seconds),
        }


def _engine_entry(
    s: Sampled, probability: Probability, difference: LooDifference | None
) -> dict[str, Any]:
    e, check = s.evidence, s.predictive
    return {
        "log_lik": s.log_lik,
        "prob_empty": s.prob_empty,
        "occupancy_changes": s.occupancy_changes,
        "weights": s.components.w,
        "means": s.components.mu,
        "sds": s.components.sigma,
        "elpd": s.loo.elpd,
        "elpd_se": s.loo.se,
        "elpd_mcse": s.loo.mcse,
        "p_loo": s.loo.p,
        "elpd_below_best": 0.0 if difference is None else difference.value,
        "elpd_below_best_se": 0.0 if difference is None else difference.se,
        "pareto_k_max": s.loo.pareto_k.max(),
        "pareto_k_bad": s.loo.n_bad,
        "left_out_again": s.loo.n_again,
        "loo_pit_distance": s.loo.pit_distance,
        "loo_pit_p": s.loo.pit_p,
        "loo_draws": s.loo.n_draws,
        "log_evidence": e.value,
        "log_evidence_se": e.se,
        "bridge_overlap": e.overlap,
        "modes": [
            {"chains": [c + 1 for c in chains], "probability": share}
            for chains, share in zip(e.modes, e.shares.tolist(), strict=True)
        ],
        "probability": dict(vars(probability)),
        "predictive_p": check.p,
        "bins_outside": check.n_outside,
        "bins": len(check.observed),
        "doubts": [clause(doubt) for doubt in s.doubts],
        "codes": to_codes(s.doubts),
    }
