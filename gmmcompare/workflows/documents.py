"""What the JSON files of results hold: their published schema. No code needs it to write them.

``python -m gmmcompare.workflows.documents FOLDER`` writes a JSON Schema (draft 2020-12) of each.
A later version may add keys; of the keys here none is dropped and no meaning changes while
``schema`` stays the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Number = float | None
"""A finite number, or null for one that is not finite or does not apply."""
Verdict = Literal["agree", "disagree", "inconclusive"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class Coded(_Entry):
    """A reason as data: what code reads in place of sentences."""

    code: str
    """Such as ``minor-mode``; each is documented in ``gmmcompare/*/reasons.py``."""
    engine: str
    """The engine it is about, or empty."""
    numbers: dict[str, Any]
    """The numbers that come with this code, by name."""


class DataEntry(_Entry):
    """The data that were fitted."""

    name: str
    """Of the data set or file."""
    label: str
    """Axis label, with the unit."""
    source: str
    """Where they come from."""
    simulated: bool
    """Whether they are simulated, as the stand-in for the exoplanets is."""
    n: int
    """Observations, counted as often as they occur."""
    n_distinct: int
    """Distinct values."""
    n_missing: int
    """Rows left out because the value was missing."""
    sha256: str | None
    """Of the file, if there is one."""


class Seconds(_Entry):
    """How long an engine took."""

    prepare: Number
    """Compiling, checking the density, finding starts."""
    sample: Number
    """Sampling, or climbing."""


class EngineEntry(_Entry):
    """One engine's column; components by ascending mean."""

    kind: Literal["draws", "point"]
    """Whether it gave draws or a point."""
    weights: list[Number]
    """Posterior means, or the point."""
    means: list[Any]
    """Likewise; in several dimensions a list for each component."""
    sds: list[Any]
    """Likewise, standard deviations of the components."""
    weights_sd: list[Number]
    """Posterior standard deviations; of a point its standard errors."""
    means_sd: list[Any]
    """Likewise."""
    sds_sd: list[Any]
    """Likewise."""
    log_lik: Number
    """Mean log-likelihood of the draws, or that of the point."""
    prob_empty: Number
    """Posterior probability that a component is empty."""
    ess_min: Number
    """Smallest bulk ESS of a parameter; null for a point."""
    rhat_max: Number
    """Largest rank-normalised R-hat of a parameter; null for a point."""
    divergences: int | None
    """Of NUTS; null where there is no such thing."""
    seconds: Seconds
    """How long it took."""
    seed: int | None
    """From which it can be repeated."""
    status: str
    """``ok``, or why not."""
    notes: list[str]
    """What else there is to say."""


class FunctionalEntry(_Entry):
    """One function of a draw, compared between two engines, by its most significant statistic."""

    name: str
    """Such as ``log_lik``, ``mu[1]`` or ``coclustering[0.1,0.5]``."""
    statistic: str
    """Which of the statistics of its rank."""
    diff: Number
    """Difference of the means, in posterior standard deviations of the statistic."""
    se: Number
    """Its Monte Carlo standard error."""
    p: Number
    """Two-sided, not corrected for multiplicity."""
    mdd: Number
    """The difference that would be detected with 80 % power."""
    bound: Number
    """Largest ``|diff| + t_.95 se`` over its statistics; below 0.1 everywhere, or no agreement."""
    label_free: bool
    """Whether it does not depend on labels."""
    ess: Number
    """The smaller of both engines' bulk ESS."""
    se_largest: Number
    """Largest standard error of its statistics."""
    statistics: int
    """How many statistics were compared."""


class PairEntry(_Entry):
    """Two engines and what is concluded of them."""

    a: str
    """One engine."""
    b: str
    """The other."""
    verdict: Verdict
    """A disagreement wins over all else."""
    reasons: list[str]
    """In words, the most telling first."""
    codes: list[Coded]
    """The same as data."""
    suspect: str | None
    """The engine that is probably wrong, where the evidence points to one."""
    rounds: int
    """How often they were compared with fresh seeds."""
    ess_needed: Number
    """With which agreement could be shown, where that is what lacks."""
    numbers: dict[str, Number]
    """Further figures, such as a point's ``log_lik_gap`` and ``mahalanobis``."""
    functionals: list[FunctionalEntry]
    """Empty for a pair with a point."""


class _Head(_Entry):
    model_config = ConfigDict(
        extra="allow", use_attribute_docstrings=True, populate_by_name=True, protected_namespaces=()
    )

    schema_: Literal[1] = Field(alias="schema", description="The number of this layout.")
    version: str
    """Of gmmcompare."""


class ComparisonFile(_Head):
    """``comparison.json``, which `gmmcompare compare` writes."""

    created: str
    """When, in UTC (ISO 8601)."""
    command: str
    """As it was typed; empty from Python."""
    versions: dict[str, str]
    """Of all that the result depends on."""
    card: dict[str, Any]
    """The model card, with its ``name`` and every default written out."""
    data: DataEntry
    """The data."""
    verdict: Verdict
    """Of all pairs together."""
    sentence: str
    """The verdict in words."""
    followed: list[Coded] = []
    """What `--settle` did."""
    remedies: list[str] = []
    """What would settle an inconclusive result, in words."""
    remedy_codes: list[Coded] = []
    """The same as data."""
    engines: dict[str, EngineEntry]
    """By name."""
    pairs: list[PairEntry]
    """Every two engines."""
    clustering: dict[str, Any] = {}
    """How observations are allocated: sizes, pairs of engines, co-clustering, doubtful cases."""


class AgreedEngine(_Entry):
    """One set of draws."""

    chains: int
    """Chains."""
    draws: int
    """Draws per chain."""
    divergences: int | None
    """If they were recorded."""
    mean: dict[str, Number]
    """Of every number."""
    sd: dict[str, Number]
    """Of every number."""
    ess_min: Number
    """Smallest bulk ESS."""
    rhat_max: Number
    """Largest R-hat."""
    seconds: Number
    """How long it ran, if known."""
    notes: list[str]
    """What was noticed in reading them."""


class AgreementFile(_Head):
    """``agreement.json``, which `gmmcompare agree` and `compare --model` write."""

    command: str
    """As it was typed."""
    versions: dict[str, str]
    """Of all that the result depends on."""
    model: str
    """If one was given."""
    sources: dict[str, str]
    """Where draws come from, by name."""
    verdict: Verdict
    """Of all pairs together."""
    sentence: str
    """The verdict in words."""
    engines: dict[str, AgreedEngine]
    """By name."""
    pairs: list[PairEntry]
    """Every two."""
    left_out: list[str]
    """Parameters that not all have."""


class CheckEntry(_Entry):
    """One check of a validation."""

    name: str
    """Such as ``invariance``."""
    verdict: Literal["passed", "failed", "inconclusive"]
    """Of this check."""
    summary: str
    """In words."""
    codes: list[Coded]
    """The same as data."""
    replicates: int
    """Independent replicates."""
    seconds: Number
    """Wall time."""
    error_rate: Number
    """Bound on the probability that a correct sampler fails it."""
    data: dict[str, Any]
    """What the page draws."""


class ValidationFile(_Head):
    """``validation.json``, which `gmmcompare validate --out` writes."""

    sampler: str
    """As it was named."""
    kind: str | None
    """``kernel`` or ``sampler``."""
    verdict: Literal["passed", "failed", "inconclusive"]
    """Of all checks together."""
    seed: int
    """The same seed gives the same verdict."""
    seconds: Number
    """Wall time."""
    error_rate: Number
    """Bound on the probability that a correct sampler fails."""
    checks: list[CheckEntry]
    """In the order in which they were made."""
    diagnosis: dict[str, Any]
    """What moves (``findings``, ``codes``), and known faults with the same trace (``suspects``)."""
    remedies: list[str]
    """What to do, in words."""
    tested: list[str]
    """On what it was tested."""
    notes: list[str]
    """What else was noticed."""
    not_tested: list[str]
    """What this verdict does not cover."""
    codes: dict[str, list[Coded]]
    """The last four as data."""


FILES: Mapping[str, type[BaseModel]] = {
    "comparison": ComparisonFile,
    "agreement": AgreementFile,
    "validation": ValidationFile,
}
"""The files by the beginning of their names."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of ``NAME.json``."""
    schema = FILES[name].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schemas(folder: Path) -> list[Path]:
    """Write ``NAME.schema.json`` of every file; return the paths."""
    paths = []
    for name in FILES:
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema_of(name), indent=1) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
