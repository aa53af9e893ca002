"""The Python interface: `fit` and `compare`, one call each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gmmcompare.card import Card, load_card, validated_card
from gmmcompare.compare.comparison import Comparison, compare_fits
from gmmcompare.engines.base import BUILT_IN
from gmmcompare.errors import InputError, did_you_mean
from gmmcompare.fit import Fit
from gmmcompare.priors import Priors
from gmmcompare.run import card_sample
from gmmcompare.runner import EngineRequest, Runner
from gmmcompare.sample import Sample


def fit(
    card_or_sample: Card | Sample | str | Path,
    engine: str | Callable[..., Any] = "gibbs",
    *,
    components: int | None = None,
    priors: Priors | None = None,
    seed: int | None = None,
    name: str | None = None,
    folder: str | Path | None = None,
    offline: bool = False,
    **settings: Any,
) -> Fit:
    """Fit one engine.

    Parameters
    ----------
    card_or_sample : Card, Sample, str or Path
        A model card (or its file or short name), or data; data need ``components``.
    engine : str or callable
        A built-in engine, ``FILE.py:FUNC``, or a function of your own.
    components : int, optional
        K; a card has its own.
    priors : Priors, optional
        A card has its own; for data, the defaults of `Priors`.
    seed : int, optional
        By default the card's.
    name : str, optional
        What to call a sampler of your own.
    folder : str or Path, optional
        Keep the fit there, and reuse one that is there.
    offline : bool
        Do not use the network for a card's data.
    **settings
        Settings of the engine, such as ``draws=5000``.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the data, a setting or the engine's name cannot be used.
    EngineError
        If the engine raises or returns nonsense.
    """
    request = _request(engine, name)
    section = request.name if request.origin == "built-in" else "custom"
    changes: dict[str, Any] = {f"engines.{section}.{key}": v for key, v in settings.items()}
    if seed is not None:
        changes["run.seed"] = seed
    if isinstance(card_or_sample, Sample):
        if components is None:
            raise InputError("give components, the number K, with data that have no card")
        card, sample = _card_for(card_or_sample, components, priors or Priors()), card_or_sample
    else:
        if components is not None or priors is not None:
            raise InputError("a card has its own components and priors; change them in the card")
        given = card_or_sample
        card = given if isinstance(given, Card) else load_card(given)
        sample = card_sample(card, offline=offline)
    card = card.changed(changes)
    return Runner(card, sample, Path(folder) if folder else None).fit(request)


def compare(fits: Sequence[Fit], sample: Sample | None = None) -> Comparison:
    """Compare fits of one problem.

    Parameters
    ----------
    fits : sequence of Fit
        From `fit` or ``load_fit``; of the same data and K, each of another engine.
    sample : Sample, optional
        The data with their origin; by default taken from the fits.

    Returns
    -------
    Comparison
        With ``.verdict``, ``.pairs`` and ``.table()``. Fits cannot be repeated here, so a
        difference counts only if it is significant at 0.001 after correction.

    Raises
    ------
    InputError
        If the fits are not of one problem.
    """
    return compare_fits(fits, sample)


def _request(engine: str | Callable[..., Any], name: str | None) -> EngineRequest:
    if callable(engine):
        return EngineRequest(name or engine.__name__, "own", function=engine)
    if engine in BUILT_IN:
        return EngineRequest(engine)
    if ":" in engine:
        return EngineRequest(name or engine.rpartition(":")[2], "own", engine)
    raise InputError(
        f"{engine}: no such engine{did_you_mean(engine, BUILT_IN)}; built in are "
        f"{', '.join(BUILT_IN)}; your own is a function or FILE.py:FUNC"
    )


def _card_for(sample: Sample, components: int, priors: Priors) -> Card:
    name = sample.origin.name
    content = {
        "title": name,
        "data": {"path": name, "label": sample.origin.label},
        "mixture": {"components": int(components)},
        "priors": priors.to_dict(),
    }
    return validated_card(content, Path(f"{name}.toml"))
