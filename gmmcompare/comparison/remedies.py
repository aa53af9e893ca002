"""What would settle an inconclusive comparison: settings of each engine, or else what to do.

As data, like reasons: `words` says them, `workflows.settle` follows those that are settings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gmmcompare.comparison.reasons import Code, Reason, Remedy
from gmmcompare.comparison.thresholds import MIN_CHAINS, MIN_ESS
from gmmcompare.engines.base import BUILT_IN
from gmmcompare.model.card import EngineSection

if TYPE_CHECKING:
    from gmmcompare.comparison.agreement import PairVerdict
    from gmmcompare.fitting.fit import Fit  # it imports ArviZ' readers

SPARE = 1.25
"""Draws beyond those that seem needed: an ESS is an estimate."""
FOURFOLD = 4.0
MOST = 100.0
"""Times the draws that are asked for at once: the ESS of chains that hardly move is a guess."""
TARGETS = (0.9, 0.95, 0.99)
"""Target acceptance rates to try in turn where transitions diverge."""


def remedies(
    pairs: Sequence[PairVerdict], fits: Mapping[str, Fit], ess: Mapping[str, float]
) -> tuple[Reason, ...]:
    """Return what would settle the pairs that are inconclusive, one entry for each engine first.

    Parameters
    ----------
    pairs : sequence of PairVerdict
    fits : dict of str to Fit
        All engines of the comparison.
    ess : dict of str to float
        The smallest ESS of any parameter, of each engine that draws.
    """
    if len(fits) == 1:
        return (Reason(Remedy.ANOTHER_ENGINE),)
    needs = {name: _Needs(fit) for name, fit in fits.items()}
    others: dict[Reason | tuple[Any, ...], Reason] = {}
    for pair in pairs:
        if pair.verdict != "inconclusive":
            continue
        for reason in pair.reasons:
            _note(needs, pair, reason, ess)
            for other in _others(pair, reason, fits):
                others.setdefault((other.code, other.engine), other)
    asked = [remedy for need in needs.values() for remedy in need.remedies()]
    return (*asked, *others.values())


@dataclass
class _Needs:
    """How one engine has to be run: the largest of what all its reasons ask for."""

    fit: Fit
    draws: float = 0.0
    chains: int = 0
    warmup: float = 0.0
    others: dict[str, Any] = field(default_factory=dict)
    smaller_steps: bool = False
    elsewhere: bool = False
    """Whether it starts, or moves, in another way: then its ESS now tells nothing."""

    @property
    def section(self) -> str:
        """The engine's section in a card."""
        built_in = self.fit.origin == "built-in" and self.fit.engine in BUILT_IN
        return self.fit.engine if built_in else "custom"

    def setting(self, name: str) -> Any:
        """Return a setting of the engine as it was run; of an old fit its default."""
        defaults = getattr(EngineSection(), self.section)
        return self.fit.settings.get(name, getattr(defaults, name, None))

    @property
    def chains_and_draws(self) -> tuple[int, int]:
        """How many chains it has, and draws in each."""
        chains, draws = self.fit.params.w.shape[:2]
        return chains, draws

    def more(self, times: float, warmup: bool = False) -> None:
        """Ask for so many times the draws, and perhaps the warm-up."""
        times = min(times, MOST)
        self.draws = max(self.draws, times * self.chains_and_draws[1])
        if warmup:
            default = getattr(getattr(EngineSection(), self.section), "warmup", 0)
            longer = times * (self.setting("warmup") or 0)
            self.warmup = max(self.warmup, longer, default)  # there may have been none

    def remedies(self) -> Iterator[Reason]:
        """Yield what it asks for."""
        name, (chains, draws) = self.fit.engine, self.chains_and_draws
        each = self.draws * chains / max(self.chains, chains)  # more chains share the work
        if self.fit.origin == "draws":
            if self.draws or self.chains or self.warmup:
                numbers = {
                    "chains": max(self.chains, chains),
                    "draws": max(rounded_up(each), draws),
                    "warmup": self.warmup > 0,
                }
                yield Reason(Remedy.DRAWS_ELSEWHERE, numbers, engine=name)
            if self.smaller_steps:
                yield Reason(Remedy.SMALLER_STEPS, engine=name)
            return
        wanted = {"chains": self.chains}
        if not self.elsewhere:
            wanted["warmup"] = rounded_up(self.warmup)
            wanted["draws"] = rounded_up(each) if each > draws else 0
        settings = {key: value for key, value in wanted.items() if value} | self.others
        if settings:
            keyed = {f"engines.{self.section}.{key}": value for key, value in settings.items()}
            yield Reason(Remedy.RUN_WITH, {"settings": keyed}, engine=name)


def _note(
    needs: Mapping[str, _Needs], pair: PairVerdict, reason: Reason, ess: Mapping[str, float]
) -> None:
    """Note how engines have to be run so that this reason goes."""
    code, numbers = reason.code, reason.numbers
    # When repeated, it had four times the draws in each round.
    times = 4.0 ** (numbers.get("round", 1) - 1)
    drawing = [n for n in (needs[pair.a], needs[pair.b]) if n.fit.kind == "draws"]
    if code in (Code.DIFFERENCE_POSSIBLE, Code.LOW_ESS) and pair.ess_needed:
        for need in drawing:
            have = ess.get(need.fit.engine, math.nan)
            if have > 0 and pair.ess_needed > have:
                need.more(SPARE * pair.ess_needed / have)
    if code in (Code.UNCONFIRMED_DIFFERENCE, Code.UNREPEATED_DIFFERENCE):
        for need in drawing:
            need.more(FOURFOLD * 4.0 ** (pair.rounds - 1))
    if not reason.engine:
        return
    need = needs[reason.engine]
    if code == Code.LOW_ESS or code == Code.SLOW_COMBINATION:
        need.more(times * SPARE * numbers["needed"] / max(numbers["ess"], 1.0))
    elif code == Code.TOO_SHORT:
        need.draws = max(need.draws, need_of_default(need), SPARE * MIN_ESS / MIN_CHAINS)
    elif code == Code.TOO_FEW_CHAINS:
        need.chains = max(need.chains, numbers["needed"])
    elif code == Code.RARE_EMPTY_STATES:
        seen = max(numbers["transitions"], 1.0)
        need.more(times * SPARE * numbers["needed"] / seen)
    elif code in (Code.HIGH_RHAT, Code.TREND):
        need.more(times * FOURFOLD, warmup=True)
    elif code == Code.MINOR_MODE:
        _leave_mode(need, times)
    elif code == Code.DIVERGENCES:
        _diverge_less(need)
    elif code == Code.STATUS and need.section == "em":
        if need.setting("start") == "lecture":
            need.others["start"] = "spread"
        else:
            need.others["max_iterations"] = 10 * need.setting("max_iterations")


def need_of_default(need: _Needs) -> float:
    """Return the draws that a card gives an engine which does not say."""
    return float(getattr(EngineSection(), need.section).draws)


def _leave_mode(need: _Needs, times: float) -> None:
    """Ask for other starts where a setting chose poor ones, else for longer chains."""
    better = {
        ("nuts", "identify"): "none",
        **{(section, "start"): "em" for section in ("nuts", "numpyro", "stan", "jags")},
        ("gibbs", "start"): "overdispersed",
        ("gibbs_plain", "start"): "overdispersed",
    }
    changed = {
        key: value
        for (section, key), value in better.items()
        if need.section == section and need.setting(key) != value
    }
    need.others |= changed
    need.elsewhere = need.elsewhere or bool(changed)
    if not changed:
        need.more(times * FOURFOLD, warmup=True)


def _diverge_less(need: _Needs) -> None:
    if need.section not in ("nuts", "numpyro", "stan"):
        need.smaller_steps = need.fit.origin == "draws"
        return
    if need.section == "nuts" and need.setting("identify") != "none":
        need.others["identify"] = "none"
    now = need.setting("target_accept")
    need.others["target_accept"] = next((t for t in TARGETS if t > now), (1.0 + now) / 2)


def _others(pair: PairVerdict, reason: Reason, fits: Mapping[str, Fit]) -> Iterator[Reason]:
    """Yield what no setting of an engine does."""
    code, name = reason.code, reason.engine
    elsewhere = bool(name) and fits[name].origin == "draws"
    if code in (Code.COPIED_CHAINS, Code.DEPENDENT_CHAINS):
        yield Reason(Remedy.OWN_STREAMS, {"elsewhere": elsewhere}, engine=name)
    elif code == Code.MIXED_COMPONENTS:
        yield Reason(Remedy.TOGETHER, {"elsewhere": elsewhere}, engine=name)
    elif code == Code.DIVERGENCES and fits[name].origin == "own":
        yield Reason(Remedy.SMALLER_STEPS, engine=name)
    elif code == Code.NOTHING_VARIES:
        yield Reason(Remedy.STANDS_STILL)
    elif code == Code.STATUS and fits[name].origin != "built-in":
        yield Reason(Remedy.CONVERGE, engine=name)
    elif code == Code.NO_ELLIPSE:
        point = pair.a if fits[pair.a].kind == "point" else pair.b
        numbers = {"engines": _drawing_engines(fits), "fewer": fits[point].K - 1}
        yield Reason(Remedy.LEAVE_OUT, numbers, engine=point)
    elif code == Code.DIFFERENT_OBJECTIVES:
        yield _same_objective(reason, fits)
    elif code in (Code.UNREPEATED_DIFFERENCE, Code.UNCONFIRMED_DIFFERENCE):
        files = tuple(e for e in (pair.a, pair.b) if fits[e].origin == "draws")
        if files:
            yield Reason(Remedy.SEEDS, {"engines": files})
    elif code == Code.EARLIER_VERSION:
        yield Reason(Remedy.COMPARE_AGAIN)


def _drawing_engines(fits: Mapping[str, Fit]) -> tuple[str, ...]:
    """Return the built-in engines that draw, and another one where there would be but one."""
    drawing = [fit for fit in fits.values() if fit.kind == "draws"]
    built_in = [fit.engine for fit in drawing if fit.origin == "built-in"]
    if len(drawing) < 2:
        built_in += [name for name in ("gibbs", "nuts") if name not in built_in][:1]
    return tuple(built_in)


def _same_objective(reason: Reason, fits: Mapping[str, Fit]) -> Reason:
    """Let EM maximise what the other point does."""
    for role, objective in (("likelier", "map"), ("denser", "ml")):
        fit = fits[str(reason.numbers[role])]
        if fit.engine == "em" and fit.origin == "built-in":
            settings = {"engines.em.objective": objective}
            return Reason(Remedy.SAME_OBJECTIVE, {"settings": settings})
    return Reason(Remedy.SAME_OBJECTIVE, {"settings": {}})


def rounded_up(number: float) -> int:
    """Round up to two digits, so that a setting can be read and typed."""
    if number <= 0:
        return 0
    unit = int(10 ** max(0, math.floor(math.log10(number)) - 1))
    return math.ceil(number / unit - 1e-9) * unit
