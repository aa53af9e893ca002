"""Model cards: what to fit, with which priors, by which engines. See ``models/README.md``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gmmcompare.model.complaints import explained
from gmmcompare.model.conjugate import SMALLEST_SHAPE, ConjugatePriors
from gmmcompare.model.family import family_named
from gmmcompare.model.priors import Priors
from gmmcompare.model.restricted import RestrictedPriors
from gmmcompare.model.scope import SEE
from gmmcompare.runtime.bundled import bundled
from gmmcompare.runtime.errors import InputError, did_you_mean

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Vector = list[Finite]
Matrix = list[Vector]
Transform = Literal["none", "log", "log10"]
Family = Literal["normal", "normal-conjugate", "multivariate"]


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class DataSection(_Section):
    """Which column of which data, and how it is transformed.

    ``where`` chooses rows; ``weight`` is a column that counts how often each observation occurs;
    ``subsample`` takes so many of the values at random; the seed is the run's.
    """

    dataset: str | None = None
    """A name listed by `gmmcompare data list`; this or ``path``."""
    path: str | None = None
    """A file, or a glob, relative to the card; this or ``dataset``.

    CSV (any separator, decimal commas, R row names), Parquet and globs such as
    ``stars/*.parquet``; FITS, VOTable, IPAC and CDS tables with ``gmmcompare[astro]``.
    """
    column: str | None = None
    """The numeric column to fit; by default the data set's own, or the file's only one."""
    transform: Transform = "none"
    """Taken of every value before anything else."""
    label: str | None = None
    """Axis label, with the unit; by default the column's name."""
    name_column: str | None = None
    """The column that names the observations."""
    where: str | None = None
    """Which rows: a condition on columns as pandas reads it, ``flag == 1 and x > 0``.

    With it, codes such as -999 are not looked for.
    """
    weight: str | None = None
    """A column of whole numbers: how often each observation occurs."""
    error: str | Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    """The column of measurement errors (sds, in the column's units), or ``["lower", "upper"]``.

    Of two columns the mean is taken. Under a logarithm errors are divided by the value, by the
    delta method. The mixture is then that of the true values.
    """
    error_missing: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """The error of rows without one, after the transform; by default such rows are dropped."""
    subsample: int | None = Field(default=None, ge=1)
    """Fit this many of the values, chosen at random by ``run.seed``; by default all."""

    @model_validator(mode="after")
    def _one_source(self) -> DataSection:
        if (self.dataset is None) == (self.path is None):
            raise ValueError("give either dataset (a name) or path (a file), and not both")
        if self.error_missing is not None and self.error is None:
            raise ValueError("error_missing needs error, the column that it fills")
        return self


class MultivariateDataSection(DataSection):
    """Which columns of which data; a row in which any is missing is dropped, and counted."""

    column: list[str] = Field(min_length=1)  # type: ignore[assignment]
    """The numeric columns to fit, one for each dimension."""
    transform: Transform | list[Transform] = "none"  # type: ignore[assignment]
    """Taken of every value before anything else: one for all columns, or a list of one for each."""
    label: list[str] | None = None  # type: ignore[assignment]
    """Axis labels, with the units; by default the columns' names."""

    @model_validator(mode="after")
    def _one_for_each(self) -> MultivariateDataSection:
        if self.error is not None:
            raise ValueError("error: measurement errors are for one column; leave it out")
        twice = next((c for c in self.column if self.column.count(c) > 1), None)
        if twice is not None:
            raise ValueError(f"column '{twice}' is named twice; name each column once")
        for name in ("transform", "label"):
            value = getattr(self, name)
            if isinstance(value, list) and len(value) != len(self.column):
                raise ValueError(
                    f"{name} has {len(value)} entries for {len(self.column)} columns; give one for "
                    "each"
                )
        return self


class FamilySection(_Section):
    """The number of components K, and their family."""

    components: int = Field(ge=1, le=64)
    """K, the number of components."""
    family: Family = "normal"
    """What a component is; the family decides which keys ``[priors]`` has."""


class MixtureSection(FamilySection):
    """The number of components K, their family, and what is known or shared of normal ones."""

    sds: Positive | list[Positive] | None = None
    """Known standard deviations: one for all components, or a list of K."""
    shared_sd: bool = False
    """Whether all components have one unknown standard deviation."""
    weights: list[Positive] | None = None
    """Known weights, a list of K with a sum of 1."""

    @property
    def restrictions(self) -> dict[str, Any]:
        """What is known or shared, as `RestrictedPriors` takes it; empty if nothing is."""
        found = self.model_dump(include={"sds", "shared_sd", "weights"}, exclude_none=True)
        return found if len(found) > 1 or self.shared_sd else {}


class PriorSection(_Section):
    """The five hyperparameters, each a number or one number per component.

    Those of what is known may be left out.
    """

    weight_concentration: Positive | list[Positive] | None = None
    """w ~ Dirichlet(c, ..., c); required unless ``mixture.weights`` is given."""
    mean_loc: Finite | list[Finite]
    """Location of mu_k ~ Normal(location, standard deviation)."""
    mean_sd: Positive | list[Positive]
    """Standard deviation of mu_k, not its variance."""
    var_shape: Positive | list[Positive] | None = None
    """a of sigma_k^2 ~ InverseGamma(a, b), density b^a / Gamma(a) x^(-a-1) exp(-b/x); required
    unless ``mixture.sds`` is given."""
    var_scale: Positive | list[Positive] | None = None
    """b of sigma_k^2 ~ InverseGamma(a, b); likewise."""


class ConjugatePriorSection(_Section):
    """The five hyperparameters of conjugate priors, each a number or one number per component."""

    weight_concentration: Positive | list[Positive]
    """w ~ Dirichlet(c, ..., c)."""
    mean_loc: Finite | list[Finite]
    """Location of mu_k given sigma_k ~ Normal(location, sigma_k / sqrt(count))."""
    mean_count: Positive | list[Positive]
    """Count: the prior of a mean is worth this many observations."""
    var_shape: Positive | list[Positive]
    """a of sigma_k^2 ~ InverseGamma(a, b), density b^a / Gamma(a) x^(-a-1) exp(-b/x)."""
    var_scale: Positive | list[Positive]
    """b of sigma_k^2 ~ InverseGamma(a, b)."""


class MultivariatePriorSection(_Section):
    """The five hyperparameters for d dimensions, each once or once per component."""

    weight_concentration: Positive | list[Positive]
    """w ~ Dirichlet(c, ..., c)."""
    mean_loc: Finite | Vector | list[Vector]
    """Location of mu_k ~ Normal(location, covariance), d numbers."""
    mean_cov: Matrix | list[Matrix]
    """Covariance matrix of mu_k, d rows of d numbers."""
    cov_df: Positive | list[Positive]
    """nu of cov_k ~ InverseWishart(nu, Psi), above d - 1."""
    cov_scale: Matrix | list[Matrix]
    """Psi of cov_k ~ InverseWishart(nu, Psi), d rows of d numbers.

    E[cov_k] = Psi / (nu - d - 1).
    """


class EmSettings(_Section):
    """Settings of the EM engine."""

    starts: int = Field(default=20, ge=1)
    """Number of starting points."""
    start: Literal["spread", "lecture"] = "spread"
    """``spread``: k-means++ and random responsibilities, alternating.

    ``lecture``: all means equal, a fixed point of EM.
    """
    objective: Literal["ml", "map"] = "ml"
    """``ml``: maximum likelihood.

    ``map``: the posterior mode in the coordinates (w, mu, log sigma^2).
    """
    max_iterations: int = Field(default=20_000, ge=1)
    """Iterations allowed from each start."""
    accelerate: bool = True
    """Use squared extrapolation (SQUAREM)."""


class SamplerSettings(_Section):
    """Chains, warmup and draws of any sampler; of a user's own under ``[engines.custom]``."""

    chains: int = Field(default=4, ge=1)
    """Independent chains."""
    warmup: int = Field(default=1000, ge=0)
    """Sweeps or steps dropped at the start of each chain."""
    draws: int = Field(default=2500, ge=1)
    """Draws kept per chain, after warmup."""


class GibbsSettings(SamplerSettings):
    """Settings of the Gibbs engines."""

    warmup: int = Field(default=2000, ge=0)
    draws: int = Field(default=20_000, ge=1)
    start: Literal["overdispersed", "lecture"] = "overdispersed"
    """``overdispersed``: chains start far apart.

    ``lecture``: all means at the prior mean, all standard deviations 2.
    """
    keep_allocations: int = Field(default=0, ge=0)
    """m > 0: keep the allocations of every m-th draw; 0: keep none."""


class NutsSettings(SamplerSettings):
    """Settings of the NUTS engine."""

    identify: Literal["none", "ordered"] = "none"
    """``none``: components unordered, relabelled afterwards.

    ``ordered``: means constrained to ascend.
    """
    start: Literal["em", "default"] = "em"
    """``em``: near the solutions found by EM; ``default``: the sampler's own."""
    target_accept: float = Field(default=0.8, gt=0, lt=1)
    """Target acceptance rate of the step-size adaptation."""
    nuts_sampler: Literal["nutpie", "pymc"] = "nutpie"
    """Which program samples."""


class JagsSettings(SamplerSettings):
    """Settings of the JAGS engine."""

    warmup: int = Field(default=500, ge=0)
    start: Literal["em", "default"] = "em"
    """``em``: near the solutions found by EM; ``default``: the sampler's own."""


class NumpyroSettings(SamplerSettings):
    """Settings of the NumPyro engine."""

    start: Literal["em", "default"] = "em"
    """``em``: near the solutions found by EM; ``default``: the sampler's own."""
    target_accept: float = Field(default=0.8, gt=0, lt=1)
    """Target acceptance rate of the step-size adaptation."""


class StanSettings(SamplerSettings):
    """Settings of the Stan engine."""

    start: Literal["em", "default"] = "em"
    """``em``: near the solutions found by EM; ``default``: the sampler's own."""
    target_accept: float = Field(default=0.8, gt=0, lt=1)
    """Target acceptance rate of the step-size adaptation."""


class ExactSettings(_Section):
    """Settings of the exact engine: independent posterior draws, for N <= 16."""

    chains: int = Field(default=4, ge=1)
    """Chains into which the draws are split."""
    draws: int = Field(default=5000, ge=1)
    """Independent draws per chain."""


class EngineSection(_Section):
    """Settings of every engine; a section that is left out takes its defaults."""

    em: EmSettings = EmSettings()
    gibbs: GibbsSettings = GibbsSettings()
    gibbs_plain: GibbsSettings = GibbsSettings(warmup=500, draws=2000)
    nuts: NutsSettings = NutsSettings()
    jags: JagsSettings = JagsSettings()
    numpyro: NumpyroSettings = NumpyroSettings()
    stan: StanSettings = StanSettings()
    exact: ExactSettings = ExactSettings()
    custom: SamplerSettings = SamplerSettings()


class RunSection(_Section):
    """The seed from which every engine's own seed is derived."""

    seed: int = Field(default=4, ge=0)
    """Each engine's seed is derived from this one and the engine's name."""


class ComponentsSection(_Section):
    """What ``gmmcompare components`` asks: the prior on K, and how long its samplers run."""

    prior: str | list[Annotated[float, Field(ge=0)]] = "uniform"
    """``uniform``, ``poisson(RATE)``, ``beta-negative-binomial``, or p(1), p(2), ... in a list."""
    max: int = Field(default=10, ge=1, le=64)
    """The largest number of components; the prior is cut there."""
    dynamic: bool = False
    """Weights given K are Dirichlet(c / K, ...) in place of Dirichlet(c, ...)."""
    alpha: Positive | None = None
    """Concentration of a Dirichlet process to show beside; without it there is none."""
    chains: int = Field(default=4, ge=2)
    """Independent chains of each sampler."""
    warmup: int = Field(default=5000, ge=0)
    """Sweeps dropped at the start of each chain."""
    draws: int = Field(default=20_000, ge=100)
    """Draws kept per chain."""
    every: int = Field(default=10, ge=1)
    """Sweeps for each draw that is kept."""


class Card(_Section):
    """A model card. `file` says where it was read, and is no part of its content."""

    title: str
    """Heading of the report."""
    data: DataSection
    mixture: MixtureSection
    priors: PriorSection
    components: ComponentsSection | None = None
    engines: EngineSection = EngineSection()
    run: RunSection = RunSection()
    file: Path = Field(default=Path("card"), exclude=True)

    @property
    def name(self) -> str:
        """Short name: the file's name without its ending."""
        return self.file.stem

    @property
    def K(self) -> int:
        """Number of components."""
        return self.mixture.components

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What the columns hold, of data of several; empty of one."""
        if not isinstance(self.data, MultivariateDataSection):
            return ()
        return tuple(self.data.label or self.data.column)

    def build_priors(self) -> Priors:
        """Return the priors, expanded to one value per component; those of the card's family.

        Raises
        ------
        InputError
            If a field is missing or cannot be used.
        """
        given = self.priors.model_dump(exclude_none=True)
        return self._priors_of(given).expanded(self.K)

    def refuse_other_families(self, command: str, instead: str) -> None:
        """Refuse what a command does not cover.

        Parameters
        ----------
        command : str
        instead : str
            What can be done.

        Raises
        ------
        InputError
            If components are not of the family normal, or something of them is known or shared.
        """
        priors = self.build_priors()
        if priors.family != "normal":
            what = (
                "known or shared parameters"
                if self.mixture.family == "normal"
                else (f"family {self.mixture.family!r}")
            )
            raise InputError(f"{self.file}: {command} does not know {what}; {instead}")

    def _priors_of(self, given: Mapping[str, Any]) -> Priors:
        known = self.mixture.restrictions
        unused = {"weights": ("weight_concentration",), "sds": ("var_shape", "var_scale")}
        allowed = [name for what in known for name in unused.get(what, ())]
        for name in PriorSection.model_fields:
            if name not in given and name not in allowed:
                raise InputError(
                    f"key 'priors.{name}' is missing: give a number, or one per component"
                )
        return RestrictedPriors(**given, **known) if known else Priors(**given)

    def with_overrides(self, overrides: Iterable[str]) -> Card:
        """Return the card with ``key.of.field=value`` strings applied; values are TOML.

        Raises
        ------
        InputError
            If a string has no ``=``, or the changed card is not valid.
        """
        return self.changed(dict(_parsed(text) for text in overrides))

    def changed(self, values: Mapping[str, Any]) -> Card:
        """Return the card with fields replaced, given as ``{"engines.gibbs.draws": 2000}``.

        Raises
        ------
        InputError
            If the changed card is not valid.
        """
        content = self.model_dump(exclude_none=True)
        for key, value in values.items():
            _put(content, key, value)
        return validated_card(content, self.file)


class ConjugateCard(Card):
    """A model card for normal components under conjugate priors."""

    mixture: FamilySection  # type: ignore[assignment]
    priors: ConjugatePriorSection  # type: ignore[assignment]

    def _priors_of(self, given: Mapping[str, Any]) -> Priors:
        found: Any = ConjugatePriors(**given)
        if np.min(found.var_shape) < SMALLEST_SHAPE:
            raise InputError(
                f"priors.var_shape = {np.min(found.var_shape):g}: too small for family "
                "normal-conjugate, where the mean of an empty component is known to a fraction of "
                f"its sd, which would exceed every number; give at least {SMALLEST_SHAPE:g}"
            )
        return found  # type: ignore[no-any-return]


class MultivariateCard(Card):
    """A model card for data of several columns."""

    data: MultivariateDataSection
    mixture: FamilySection  # type: ignore[assignment]
    priors: MultivariatePriorSection  # type: ignore[assignment]

    def _priors_of(self, given: Mapping[str, Any]) -> Priors:
        found: Priors = family_named(self.mixture.family).get("priors")(**given)
        return found

    @model_validator(mode="after")
    def _one_dimension_each(self) -> MultivariateCard:
        rows = self.priors.mean_cov[0]
        d = len(rows[0]) if isinstance(rows[0], list) else len(rows)
        if d != len(self.data.column):
            raise ValueError(
                f"data.column names {len(self.data.column)} columns but priors.mean_cov is of {d} "
                "dimensions"
            )
        return self


CARDS: Mapping[str, type[Card]] = {
    "normal": Card,
    "normal-conjugate": ConjugateCard,
    "multivariate": MultivariateCard,
}
"""The card of each family of components; those that are not here have the card of the normal."""


def card_of(content: Mapping[str, Any]) -> type[Card]:
    """Return the kind of card that a content is of.

    Raises
    ------
    InputError
        If there is no such family of components.
    """
    mixture = content.get("mixture")
    family = mixture.get("family", "normal") if isinstance(mixture, Mapping) else "normal"
    if family not in get_args(Family):
        raise InputError(
            f"mixture.family = {family!r}: components but normal ones "
            f"({', '.join(get_args(Family))}): not covered; {SEE}"
        )
    return CARDS.get(family, Card)


def bundled_cards() -> list[str]:
    """Return the short names of the bundled cards."""
    return sorted(path.stem for path in bundled("models").glob("*.toml"))


def load_card(card: str | Path, overrides: Iterable[str] = ()) -> Card:
    """Read a model card from a file, or a bundled one by its short name.

    Parameters
    ----------
    card : str or Path
        A path to a TOML file, or a name that `bundled_cards` lists.
    overrides : iterable of str
        Such as ``"engines.gibbs.draws=2000"``.

    Raises
    ------
    InputError
        If there is no such card or it is not valid: the message names file, key, what was found and
        what is allowed.
    """
    path = _find(card)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text; a model card is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not valid TOML: {error}") from None
    for text in overrides:
        _put(content, *_parsed(text))
    return validated_card(content, path)


def _find(card: str | Path) -> Path:
    path = Path(card)
    if path.is_file():
        return path
    short = bundled("models") / f"{card}.toml"
    if len(path.parts) == 1 and short.is_file():
        return short
    names = bundled_cards()
    if path.is_dir():
        raise InputError(f"{card}: is a folder; give a model card, a TOML file")
    raise InputError(
        f"{card}: no such card{did_you_mean(str(path.stem), names)}; "
        f"give a TOML file or one of: {', '.join(names)}"
    )


def _parsed(text: str) -> tuple[str, Any]:
    """Split KEY=VALUE; the value is TOML, or a word."""
    key, equals, raw = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set {text}: write KEY=VALUE, as in engines.gibbs.draws=2000")
    try:
        return key.strip(), tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), raw.strip()  # an unquoted word, as in engines.nuts.identify=ordered


def _put(content: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    table = content
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise InputError(f"{key}: {section} is a value, not a section")
    # From Python a number may be one of NumPy's.
    table[last] = value.item() if isinstance(value, np.generic) else value
    if sections == ["data"] and last in ("dataset", "path"):  # one replaces the other
        table.pop({"dataset": "path", "path": "dataset"}[last], None)


def validated_card(content: dict[str, Any], file: Path) -> Card:
    """Return a card from plain tables and values; ``file`` is what messages call it.

    Raises
    ------
    InputError
        If it is not valid.
    """
    if "file" in content:
        raise InputError(f"{file}: unknown key 'file'")
    try:
        card = card_of(content).model_validate({**content, "file": file})
        card.build_priors()
    except ValidationError as error:
        # A misspelt key first (it is missing, too); then what lies deepest, as in a list.
        worst = min(
            error.errors(include_url=False),
            key=lambda e: (e["type"] != "extra_forbidden", -len(e["loc"])),
        )
        raise InputError(f"{file}: {explained(worst, card_of(content))}") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    return card


def engine_settings(overrides: Iterable[str]) -> EngineSection:
    """Return the settings of every engine with what ``--set`` overrides, where there is no card.

    Parameters
    ----------
    overrides : iterable of str
        Each ``engines.ENGINE.KEY=VALUE``.

    Raises
    ------
    InputError
        If one is no setting of an engine.
    """
    content: dict[str, Any] = {}
    for text in overrides:
        key, value = _parsed(text)
        if key.partition(".")[0] != "engines":
            raise InputError(
                f"--set {text}: without a card only settings of engines can be set, as in "
                "engines.nuts.draws=5000"
            )
        _put(content, key, value)
    try:
        return EngineSection.model_validate(content.get("engines", {}))
    except ValidationError as error:
        worst = error.errors(include_url=False)[0]
        located: Any = {**worst, "loc": ("engines", *worst["loc"])}
        raise InputError(f"--set: {explained(located, Card)}") from None
