"""Following remedies: an inconclusive comparison is made again with the settings that it names.

At most `SETTLING_ROUNDS` times, and with `SETTLING_DRAWS` times the draws of the first run. Every
round is a comparison of its own, so the false-positive rate is at most that of one times their
number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gmmcompare.comparison.comparison import Comparison, compare_fits
from gmmcompare.comparison.reasons import Reason, Remedy, settings_of
from gmmcompare.comparison.thresholds import SETTLING_DRAWS, SETTLING_ROUNDS
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.requests import EngineRequest
from gmmcompare.fitting.runner import Runner, fit_together
from gmmcompare.model.card import Card, validated_card
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.tasks import Tasks


def refuse_vectors(sample: Sample) -> None:
    """Refuse to settle what is compared of data of several columns, before anything is fitted.

    Raises
    ------
    InputError
        If these are such data.
    """
    if isinstance(sample, VectorSample):
        raise InputError(
            "--settle: is for data of one column; run longer chains by "
            "--set engines.gibbs.draws=..., or leave it out"
        )


def settle(
    comparison: Comparison,
    card: Card,
    requests: Mapping[str, EngineRequest],
    runner_of: Callable[[Card], Runner],
    tasks: Tasks | None = None,
) -> tuple[Comparison, Card]:
    """Run engines again while the comparison is inconclusive and a setting can help.

    Parameters
    ----------
    comparison : Comparison
        Of the card.
    card : Card
    requests : dict of str to EngineRequest
        Of the engines that can be run again; the fits of others stay as they are.
    runner_of : callable
        Returns what fits the engines of a changed card.
    tasks : Tasks, optional
        Where engines run at the same time.

    Returns
    -------
    Comparison
        The last, which says in `followed` what was done.
    Card
        With the settings of the last.
    """
    first = card
    for this_round in range(1, SETTLING_ROUNDS + 1):
        changes = _within_limit(settings_of(comparison.remedies), first, card, requests)
        if not changes:
            break
        card = card.changed(changes)
        runner = runner_of(card)
        again = []
        for name, fit in comparison.fits.items():
            request = requests.get(name)
            if request and any(key.startswith(f"{_section(request)}.") for key in changes):
                again.append(request)
            else:
                runner.adopt(fit, request)
        if tasks:
            fit_together([(runner, request) for request in again], tasks)
        fits = dict(comparison.fits) | {request.name: runner.fit(request) for request in again}
        done = Reason(Remedy.FOLLOWED, {"settings": changes, "times": this_round})
        comparison = replace(
            compare_fits(
                list(fits.values()), comparison.sample, runner.refit, names=comparison.names
            ),
            followed=(*comparison.followed, done),
        )
    return comparison, card


def compare_and_settle(fits: Sequence[Fit], sample: Sample | None = None) -> Comparison:
    """Compare fits that were made one by one; repeat, and run again, those of built-in engines.

    Parameters
    ----------
    fits : sequence of Fit
        Of one problem, each of another engine.
    sample : Sample, optional
        The data with their origin; by default taken from the fits.

    Raises
    ------
    InputError
        If the fits are not of one problem, are of data of several columns, or were kept by a
        version that did not keep their priors.
    """
    if not fits:
        return compare_fits(fits)
    sample = sample or fits[0].sample
    refuse_vectors(sample)
    card = _card_of(fits)
    built_in = {f.engine: EngineRequest(f.engine) for f in fits if f.origin == "built-in"}
    runner = Runner(card, sample)
    for fit in fits:
        runner.adopt(fit, built_in.get(fit.engine))
    comparison = compare_fits(fits, sample, runner.refit)
    return settle(comparison, card, built_in, lambda changed: Runner(changed, sample))[0]


def _card_of(fits: Sequence[Fit]) -> Card:
    """Return a card that says how fits were made; its seed is the first's."""
    priors = next((fit.priors for fit in fits if fit.priors), None)
    if priors is None or not all(fit.settings for fit in fits):
        raise InputError(
            "settle: these fits are of an earlier version, which did not keep their settings; fit "
            "again"
        )
    content = {
        "title": "fits",
        "data": {"path": "data"},
        "mixture": {"components": fits[0].K},
        "priors": priors.to_dict(),
        "engines": {f.engine: dict(f.settings) for f in fits if f.origin == "built-in"},
        "run": {"seed": fits[0].seed},
    }
    return validated_card(content, Path("fits.toml"))


def _section(request: EngineRequest) -> str:
    return f"engines.{request.name if request.origin == 'built-in' else 'custom'}"


def _within_limit(
    settings: Mapping[str, Any], first: Card, now: Card, requests: Mapping[str, EngineRequest]
) -> dict[str, Any]:
    """Return the settings that can be followed and change anything, none beyond the limit."""
    sections = {_section(r) for r in requests.values() if r.origin != "draws"}
    changes = {}
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        if section not in sections:
            continue
        engine = section.removeprefix("engines.")
        before = getattr(getattr(first.engines, engine), name)
        if name == "draws" or (name == "warmup" and before):
            value = min(value, SETTLING_DRAWS * before)
        if value != getattr(getattr(now.engines, engine), name):
            changes[key] = value
    return changes
