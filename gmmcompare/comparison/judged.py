"""The verdict on all engines from those on every pair: of mixtures, or of any draws."""

from __future__ import annotations

from abc import abstractmethod

from gmmcompare.comparison.agreement import PairVerdict, Verdict
from gmmcompare.comparison.reasons import Code
from gmmcompare.comparison.words import headline, sentence


class Judged:
    """Engines of which every pair was judged.

    Attributes
    ----------
    pairs : tuple of PairVerdict
    """

    pairs: tuple[PairVerdict, ...]

    def __repr__(self) -> str:
        """Show the verdict: all draws would fill many screens."""
        return f"<{type(self).__name__}: {self.verdict}. {self.sentence()}>"

    @property
    @abstractmethod
    def names_of_engines(self) -> tuple[str, ...]:
        """Names of all engines."""

    @property
    def points(self) -> tuple[str, ...]:
        """Names of the engines that return a point."""
        return ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on all engines: a disagreement of any pair wins, then an open question."""
        found = {pair.verdict for pair in self.pairs}
        if "disagree" in found:
            return "disagree"
        return "inconclusive" if "inconclusive" in found or not found else "agree"

    @property
    def suspects(self) -> tuple[str, ...]:
        """Engines that the evidence points to.

        Those that a pair's evidence names; else the one engine whose removal leaves no
        disagreement, where at least two others remain.
        """
        named = [pair.suspect for pair in self.pairs if pair.suspect]
        if not named and len(self.names_of_engines) > 2:
            disagreeing = [{p.a, p.b} for p in self.pairs if p.verdict == "disagree"]
            named = [
                name for name in self.names_of_engines if all(name in pair for pair in disagreeing)
            ]
            named = named if len(disagreeing) > 1 and len(named) == 1 else []
        return tuple(dict.fromkeys(named))

    def sentence(self) -> str:
        """Return the verdict as one sentence."""
        if self.verdict == "agree":
            bound = max((p.bound for p in self.pairs if p.functionals), default=float("nan"))
            everyone = list(self.names_of_engines)
            statistics = max((p.statistics for p in self.pairs), default=0)
            same = next(
                (r for p in self.pairs for r in p.reasons if r.code == Code.SAME_DRAWS), None
            )
            moved = [
                str(r.numbers["point"])
                for pair in self.pairs
                for r in pair.reasons
                if r.code == Code.PRIOR_MOVES
            ]
            said = headline.agreement(everyone, self.points, bound, statistics, moved)
            return f"{said} {sentence(same)}" if same else said
        relevant = [pair for pair in self.pairs if pair.verdict == self.verdict]
        if not relevant:
            return headline.nothing_to_compare(list(self.names_of_engines))
        first = next((pair for pair in relevant if pair.suspect), relevant[0])
        own = [reason for reason in first.reasons if reason.engine == first.suspect]
        why = own[0] if own and own[0] != first.reasons[0] else None
        return headline.finding(
            self.verdict, (first.a, first.b), first.reasons[0], self.suspects, why
        )
