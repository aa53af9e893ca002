"""The Python interface: every verb, one call each.

Loading: `load_card`, `load_sample`, `load_fit`. Doing: `fit`, `compare`, `validate`, `select`,
`sensitivity`. Showing: `write_report`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmcompare.comparison.agreed import Agreement
from gmmcompare.comparison.compared import compared
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.vectors import VectorComparison
from gmmcompare.data import Rows, load_sample
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache, user_cache
from gmmcompare.fitting.fit import Fit, load_fit
from gmmcompare.fitting.requests import DEFAULT_ENGINES, EngineRequest, engine_requests
from gmmcompare.model.card import Card, load_card, validated_card
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import alone_in, cache_folder
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import Tasks
from gmmcompare.selection.selection import Selection, parse_components
from gmmcompare.validation.verdict import Validation
from gmmcompare.workflows.agree import agree_files
from gmmcompare.workflows.fit import fit_card
from gmmcompare.workflows.load import Data, load
from gmmcompare.workflows.select import select_card
from gmmcompare.workflows.sensitivity import Sensitivity, check_sensitivity
from gmmcompare.workflows.settle import compare_and_settle
from gmmcompare.workflows.validate import validate_sampler

if TYPE_CHECKING:
    from gmmcompare.comparison.number import Components
    from gmmcompare.workflows.outcome import Outcome
    from gmmcompare.workflows.provenance import Provenance

__all__ = [
    "compare",
    "components",
    "fit",
    "load_card",
    "load_fit",
    "load_sample",
    "select",
    "sensitivity",
    "validate",
    "write_report",
]


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
        Keep the fit there, and take it from the user's cache if it was made before. By default
        nothing is kept.
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
    request = EngineRequest.of(engine, name)
    section = request.name if request.origin == "built-in" else "custom"
    changes: dict[str, Any] = {f"engines.{section}.{key}": v for key, v in settings.items()}
    if isinstance(card_or_sample, Sample) and components is None:
        raise InputError("give components, the number K, with data that have no card")
    if not isinstance(card_or_sample, Sample) and components is not None:
        raise InputError("a card has its own components and priors; change them in the card")
    card, data = _card_and_data(
        card_or_sample, 1 if components is None else components, priors, seed, offline
    )
    kept, cache = _folder(folder)
    with _alone_in(kept):
        return fit_card(
            card.changed(changes), request, data=data, folder=kept, cache=cache, tasks=tasks
        )


def compare(
    fits: Sequence[Fit], sample: Sample | None = None, *, settle: bool = False
) -> Comparison | VectorComparison:
    """Compare fits of one problem.

    Parameters
    ----------
    fits : sequence of Fit
        From `fit` or ``load_fit``; of the same data and K, each of another engine.
    sample : Sample, optional
        The data with their origin; by default taken from the fits.
    settle : bool
        While it is inconclusive, fit built-in engines again as ``.remedies`` say, at most twice and
        with 16 times the draws; each is a test of its own.

    Returns
    -------
    Comparison or, of data of several columns, VectorComparison
        With ``.verdict`` and ``.pairs``; of one column also ``.table()`` and ``.remedies``. Without
        ``settle`` fits are not repeated: a difference counts only if it is significant at 1e-5.

    Raises
    ------
    InputError
        If the fits are not of one problem, or ``settle`` is asked for data of several columns.
    """
    return compare_and_settle(fits, sample) if settle else compared(fits, sample)


def validate(
    sampler: str | Callable[..., Any],
    *,
    model: Any = None,
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
        ``package.module:FUNC``, an entry point, ``fault:NAME``, ``museum:NAME`` or a built-in
        engine. With a model, a kernel is ``(theta, y, rng)``, which takes and returns a dict, and a
        whole sampler ``(y, draws, warmup, chains, rng)``.
    model : Model, pymc.Model, callable or str, optional
        The model, if it is no mixture of normals: an object as `gmmcompare.Model` describes it, a
        PyMC model, a function that returns one, or ``FILE.py:NAME``.
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
        ``quick``, ``seed``, ``jobs``, ``tasks``, ``time_limit``, ``call_limit``, ``geweke``,
        ``strict``, ``mutants`` and ``progress`` of `gmmcompare.validation.run.validate`; with a
        PyMC model ``nuts``: whole chains are compared with a long run of NUTS on its data, too.

    Returns
    -------
    Validation
        With ``.verdict``, ``.table()`` and ``.diagnosis``.

    Raises
    ------
    InputError
        If there is no such sampler, model or card, the arguments are neither a kernel's nor a
        sampler's, or the model's densities are not those of its draws.
    """
    if around is not None:
        warnings.warn("around is now called posterior_sbc", DeprecationWarning, stacklevel=2)
        posterior_sbc = posterior_sbc or around
    data = Data(sample) if sample else None
    if card is not None:
        card = card if isinstance(card, Card) else load_card(card)
        data = data or load(card, offline=offline)
    kept, cache = _folder(out)
    with _alone_in(kept):
        return validate_sampler(
            sampler,
            card,
            model=model,
            data=data,
            posterior_sbc=posterior_sbc,
            out=kept,
            cache=cache,
            **options,
        )


def agree(
    draws: Sequence[Any] | Mapping[str, Any],
    *,
    variables: Sequence[str] = (),
    model: Any = None,
    data: Any = None,
) -> Agreement:
    """Say whether draws made by different samplers are of one posterior, whatever the model.

    Parameters
    ----------
    draws : sequence or mapping of str
        At least two, each a file or folder that `gmmcompare agree` reads, a DataTree with a group
        ``posterior``, or a dict of arrays ``(chains, draws, *shape)``. A mapping names them.
    variables : sequence of str
        Parameters to compare; by default all that are common.
    model : Model, pymc.Model, callable or str, optional
        Its log joint density of the draws is compared as well; labels that it declares
        exchangeable are put in order.
    data : ndarray or dict of ndarray, optional
        The observations; by default those of a PyMC model.

    Returns
    -------
    Agreement
        With ``.verdict``, ``.sentence()``, ``.pairs`` and ``.table()``.

    Raises
    ------
    InputError
        If there are fewer than two, draws cannot be read, or nothing is common to them.
    """
    named = list(draws.items()) if isinstance(draws, Mapping) else list(draws)
    named = [
        f"{source[0]}={source[1]}"
        if isinstance(source, tuple) and isinstance(source[1], str | Path)
        else source
        for source in named
    ]
    return agree_files(named, variables, model, data).agreement


def select(
    card_or_sample: Card | Sample | str | Path,
    components: str | Sequence[int] = "1-6",
    *,
    priors: Priors | None = None,
    engines: Sequence[str] = DEFAULT_ENGINES,
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
        Keep fits and ``selection.json`` there, and take fits from the user's cache if they were
        made before. By default nothing is kept.
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
    listed = components if isinstance(components, str) else ",".join(map(str, components))
    numbers = parse_components(listed)
    card, data = _card_and_data(card_or_sample, numbers[0], priors, seed, offline)
    kept, cache = _folder(folder)
    requests = engine_requests(engines)
    with _alone_in(kept):
        return select_card(
            card, numbers, requests, data=data, folder=kept, cache=cache, tasks=tasks
        ).selection


def components(
    card_or_sample: Card | Sample | str | Path,
    engines: Sequence[str] | None = None,
    *,
    priors: Priors | None = None,
    prior_on_K: str | Sequence[float] | None = None,
    max_K: int | None = None,
    dynamic: bool | None = None,
    alpha: float | None = None,
    seed: int | None = None,
    folder: str | Path | None = None,
    offline: bool = False,
    progress: Progress = no_progress,
    **lengths: int,
) -> Components:
    """Work out the posterior of the number of components by several roads.

    Parameters
    ----------
    card_or_sample : Card, Sample, str or Path
        A model card (or its file or short name), whose own number does not matter, or data.
    engines : sequence of str, optional
        Of ``exact``, ``telescoping``, ``reversible_jump``, ``bridge`` and ``dirichlet_process``; by
        default all that the data and ``alpha`` allow.
    priors : Priors, optional
        A card has its own; for data, the defaults of `Priors`. One number for each field.
    prior_on_K : str or sequence of float, optional
        As of `exact_components`; by default the card's, or ``"uniform"``.
    max_K : int, optional
        By default the card's, or 10.
    dynamic : bool, optional
        Weights given K are Dirichlet(c / K, ...); by default as the card says.
    alpha : float, optional
        Concentration of a Dirichlet process to show beside.
    seed : int, optional
        By default the card's.
    folder : str or Path, optional
        Keep ``components.json`` there, and take from the user's cache what was made before. By
        default nothing is kept.
    offline : bool
        Do not use the network for a card's data.
    progress : callable
        Called with the name of a road and the fraction of it that is done.
    **lengths
        ``chains``, ``warmup``, ``draws``, and ``every``, how many sweeps make a draw.

    Returns
    -------
    Components
        With ``.table()``, ``.answer()``, ``.verdict``, ``.roads`` and ``.total_variation``.

    Raises
    ------
    InputError
        If the data, the priors or the name of a road cannot be used.
    """
    from gmmcompare.workflows.components import components_card

    card, data = _card_and_data(card_or_sample, 1, priors, seed, offline)
    changes: dict[str, Any] = {
        "prior": prior_on_K if prior_on_K is None or isinstance(prior_on_K, str) else [*prior_on_K],
        "max": max_K,
        "dynamic": dynamic,
        "alpha": alpha,
        **lengths,
    }
    given = {f"components.{key}": v for key, v in changes.items() if v is not None}
    kept, cache = _folder(folder)
    with _alone_in(kept):
        return components_card(
            card.changed(given),
            engines,
            data=data,
            folder=kept,
            cache=cache,
            kept=cache_folder() / "components" if kept else None,
            progress=progress,
        ).components


def sensitivity(
    card: Card | str | Path,
    *,
    rows: Rows | None = None,
    data: str | None = None,
    subsample: int | None = None,
    factor: float = 2.0,
    folder: str | Path | None = None,
    fresh: bool = False,
    offline: bool = False,
    progress: Progress = no_progress,
) -> Sensitivity:
    """Find out which prior of a card matters.

    Power-scaling tells from the draws of one Gibbs fit how fast each quantity moves with the power
    of each prior; ten more fits, with each of the five hyperparameters divided and multiplied by a
    factor, tell how far.

    Parameters
    ----------
    card : Card, str or Path
        A model card, or its file or short name.
    rows : Rows, optional
        All observations; by default the card's data.
    data : str, optional
        Another file, with the card's column.
    subsample : int, optional
        In place of the card's: use so many of the observations, chosen at random by its seed.
        Components are numbered as in all data, to which EM is fitted.
    factor : float
    folder : str or Path, optional
        Keep fits and ``sensitivity.json`` there, and take fits from the user's cache if they were
        made before. By default nothing is kept.
    fresh : bool
        Fit again even so.
    offline : bool
        Do not use the network for a card's data.
    progress : callable
        Called with the name of a fit and the fraction of it that is done.

    Returns
    -------
    Sensitivity
        With ``.table()``, ``.scaling_table()`` and ``.finding(field)``.

    Raises
    ------
    InputError
        If card, data, factor or folder cannot be used.
    """
    card = card if isinstance(card, Card) else load_card(card)
    if subsample is not None:
        card = card.changed({"data.subsample": subsample})
    kept, cache = _folder(folder, fresh)
    with _alone_in(kept):
        return check_sensitivity(
            card,
            source=rows or data,
            factor=factor,
            offline=offline,
            folder=kept,
            cache=cache,
            progress=progress,
        )


def write_report(
    comparison: Comparison | Outcome, path: str | Path, provenance: Provenance | None = None
) -> Path:
    """Write a comparison as one self-contained HTML page.

    Parameters
    ----------
    comparison : Comparison or Outcome
    path : str or Path
        The file; it is written under a temporary name and renamed.
    provenance : Provenance, optional
        Card, command and versions; an `Outcome` brings its own.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    from gmmcompare.report import write_report as write  # Matplotlib is slow to import

    return write(comparison, path, provenance)


def _card_and_data(
    given: Card | Sample | str | Path,
    components: int,
    priors: Priors | None,
    seed: int | None,
    offline: bool,
) -> tuple[Card, Data]:
    """Return a card and its data; for data without one, a card that says the same."""
    if isinstance(given, Sample):
        card, data = _card_for(given, components, priors or Priors()), Data(given)
    elif priors is not None:
        raise InputError("a card has its own priors; change them in the card")
    else:
        card = given if isinstance(given, Card) else load_card(given)
        data = load(card, offline=offline)
    return (card if seed is None else card.changed({"run.seed": seed})), data


def _card_for(sample: Sample, components: int, priors: Priors) -> Card:
    name = sample.origin.name
    content = {
        "title": name,
        "data": {"path": name, "label": sample.origin.label},
        "mixture": {"components": int(components)},
        "priors": priors.to_dict(),
    }
    return validated_card(content, Path(f"{name}.toml"))


def _folder(folder: str | Path | None, fresh: bool = False) -> tuple[Path | None, FitCache]:
    """Return where fits go, and whence they may come: without a folder nothing is kept."""
    return (Path(folder), user_cache(fresh)) if folder else (None, NOTHING_KEPT)


def _alone_in(folder: Path | None) -> AbstractContextManager[None]:
    """Return what waits until no other run writes to the folder."""
    return alone_in(folder) if folder else nullcontext()
