"""The Python interface: `fit`, `compare` and `validate`, one call each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gmmcompare.comparison.comparison import Comparison, compare_fits
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.engines.base import BUILT_IN, Problem
from gmmcompare.fitting.fit import Fit
from gmmcompare.fitting.runner import EngineRequest, Runner, engine_requests
from gmmcompare.model.card import Card, load_card, validated_card
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.runtime.tasks import InProcess, Tasks
from gmmcompare.selection.selection import Selection, parse_components
from gmmcompare.validation.checks.on_data import OnData
from gmmcompare.validation.run import validate as run_checks
from gmmcompare.validation.verdict import Validation
from gmmcompare.workflows.compare import card_sample
from gmmcompare.workflows.select import ENGINES, select_card
from gmmcompare.workflows.sensitivity import sensitivity as sensitivity


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
    tasks: Tasks | None = None,
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
    tasks : Tasks, optional
        Where the engine runs, if not here: see `gmmcompare.runtime.tasks.open_tasks`.
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
    kept = Path(folder) if folder else None
    return Runner(card, sample, kept, tasks=tasks or InProcess()).fit(request)


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


def validate(
    sampler: str | Callable[..., Any],
    *,
    card: Card | str | Path | None = None,
    sample: Sample | None = None,
    posterior_sbc: bool = False,
    around: bool | None = None,
    out: str | Path | None = None,
    offline: bool = False,
    **options: Any,
) -> Validation:
    """Test whether a sampler is correct and, if it is not, say what is wrong with it.

    Its code runs in child processes, with your rights.

    Parameters
    ----------
    sampler : str or callable
        A kernel ``(w, mu, sigma, y, priors, rng)`` or a whole sampler ``(y, K, priors, draws,
        warmup, chains, rng)``: the function itself or its name, ``FILE.py:FUNC``,
        ``package.module:FUNC``, an entry point, ``fault:NAME`` or a built-in engine.
    card : Card, str or Path, optional
        A model card: then agreement with NUTS on its data is checked as well. The sampler's chains
        have the lengths of ``[engines.custom]``.
    sample : Sample, optional
        Data to use instead of the card's.
    posterior_sbc : bool
        Calibrate around the card's data as well (Sailynoja et al. 2025): for priors that are nearly
        improper, which generate data that nobody would see.
    around : bool, optional
        The old name of ``posterior_sbc``, which the next version will not accept.
    out : str or Path, optional
        Folder for ``validation.json``, ranks as a DataTree for ``az.plot_ecdf_pit``, NUTS' fit and
        what the sampler printed; a rerun goes on from finished replicates.
    offline : bool
        Do not use the network for the card's data.
    **options
        ``quick``, ``seed``, ``jobs``, ``tasks``, ``time_limit``, ``call_limit``, ``geweke`` and
        ``progress`` of `gmmcompare.validation.run.validate`.

    Returns
    -------
    Validation
        With ``.verdict``, ``.table()`` and ``.diagnosis``.

    Raises
    ------
    InputError
        If there is no such sampler or card, or the arguments are neither a kernel's nor a
        sampler's.
    """
    if around is not None:
        warnings.warn("around is now called posterior_sbc", DeprecationWarning, stacklevel=2)
        posterior_sbc = posterior_sbc or around
    if card is None:
        if posterior_sbc or sample is not None:
            raise InputError("posterior SBC, or agreement on data, needs a card")
        return run_checks(sampler, out=out, **options)
    chosen = card if isinstance(card, Card) else load_card(card)
    data = sample or card_sample(chosen, offline=offline)
    if isinstance(data, PartitionedSample):
        raise InputError(
            f"{data.origin.name}: a sampler of your own needs all values in one array; run it on a "
            "random part by --set data.subsample=10000"
        )
    place = options.get("tasks") or InProcess()
    nuts = Runner(chosen, data, Path(out) if out else None, tasks=place).fit(EngineRequest("nuts"))
    problem = Problem(data, chosen.K, chosen.build_priors())
    on_data = OnData(problem, nuts, chosen.engines.custom, posterior_sbc)
    return run_checks(sampler, out=out, on_data=on_data, **options)


def select(
    card_or_sample: Card | Sample | str | Path,
    components: str | Sequence[int] = "1-6",
    *,
    priors: Priors | None = None,
    engines: Sequence[str] = ENGINES,
    seed: int | None = None,
    folder: str | Path | None = None,
    offline: bool = False,
    tasks: Tasks | None = None,
) -> Selection:
    """Compare numbers of components by AIC, BIC, ICL, LOO and evidence.

    Parameters
    ----------
    card_or_sample : Card, Sample, str or Path
        A model card (or its file or short name), whose own number does not matter, or data.
    components : str or sequence of int
        Such as ``"1-6"`` or ``[2, 3, 5]``.
    priors : Priors, optional
        A card has its own; for data, the defaults of `Priors`. One number for each field, or as
        many as components.
    engines : sequence of str
        Built-in engines.
    seed : int, optional
        By default the card's.
    folder : str or Path, optional
        Keep fits and ``selection.json`` there, and reuse fits that are there.
    offline : bool
        Do not use the network for a card's data.
    tasks : Tasks, optional
        Where engines run, all at the same time: see `gmmcompare.runtime.tasks.open_tasks`.

    Returns
    -------
    Selection
        With ``.table()``, ``.conclusions`` and ``.disagreements``.

    Raises
    ------
    InputError
        If the data, a number or an engine's name cannot be used.
    EngineError
        If no engine has draws for any number.
    """
    if isinstance(components, str):
        numbers = parse_components(components)
    else:
        numbers = parse_components(",".join(str(K) for K in components))
    if isinstance(card_or_sample, Sample):
        sample = card_or_sample
        card = _card_for(sample, numbers[0], priors or Priors())
    else:
        if priors is not None:
            raise InputError("a card has its own priors; change them in the card")
        given = card_or_sample
        card = given if isinstance(given, Card) else load_card(given)
        sample = card_sample(card, offline=offline)
    if seed is not None:
        card = card.changed({"run.seed": seed})
    requests = engine_requests(engines)
    outcome = select_card(
        card,
        numbers,
        sample=sample,
        engines=[request.name for request in requests],
        folder=Path(folder) if folder else None,
        tasks=tasks,
    )
    return outcome.selection


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
