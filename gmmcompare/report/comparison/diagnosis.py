"""One engine under the lens: its diagnostics as rows, its traces, ranks and autocorrelations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.diagnostics import (
    NOT_APPLICABLE,
    EngineDiagnostics,
    autocorrelation,
    parameter_values,
)
from gmmcompare.comparison.names import listed
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import MAX_RHAT, MIN_ESS
from gmmcompare.comparison.words import phrase
from gmmcompare.comparison.words.comparison import in_short
from gmmcompare.engines.em.compiled import COLLAPSED, CONVERGED
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array
from gmmcompare.report.comparison.figures import (
    Looks,
    autocorrelation_panel,
    climb_panel,
    labels_panel,
    rank_panel,
    starts_panel,
    trace_panel,
)
from gmmcompare.report.frame.canvas import Panel
from gmmcompare.report.frame.look import INK, component_colour, component_variable
from gmmcompare.report.frame.words import (
    NO_BREAK,
    component_of,
    number,
    quantity,
    significant,
    typeset,
)

MAX_LAG = 60
RANK_BINS = 20
MIN_BFMI = 0.3


@dataclass(frozen=True)
class QuantityRow:
    """Convergence figures of one quantity; ``bad`` where one of them fails its limit."""

    words: str
    colour: str
    rhat: str
    ess_bulk: str
    ess_tail: str
    mcse: str
    bad: bool


@dataclass(frozen=True)
class EngineSection:
    """What a page shows of one engine."""

    name: str
    anchor: str
    kind: str
    wrong: tuple[str, ...]
    facts: tuple[tuple[str, str, str], ...]
    """(glossary key, what, value)"""
    rows: tuple[QuantityRow, ...]
    panels: tuple[tuple[str, tuple[Panel, ...]], ...]
    notes: tuple[str, ...]
    in_short: str = ""
    """What is wrong, in a few words."""


def engine_section(comparison: Comparison, name: str, looks: Looks) -> EngineSection:
    """Collect what is shown of one engine.

    Parameters
    ----------
    comparison : Comparison
    name : str
        The engine's.
    looks : mapping of str to EngineLook
        How each engine is named and drawn.
    """
    fit, wrong = comparison.fits[name], _wrong(comparison, name)
    rows: list[QuantityRow] = []
    if fit.kind == "point":
        facts, panels = _point_facts(comparison, fit), _em_panels(fit, looks[name].text)
    else:
        diagnostics = comparison.summaries[name].diagnostics
        assert diagnostics is not None, "an engine that draws has diagnostics"
        facts = _draw_facts(comparison, fit, diagnostics)
        rows = _rows(diagnostics)
        panels = _draw_panels(comparison, name, looks[name].text)
    return EngineSection(
        name=looks[name].text,
        anchor=f"engine-{name}",
        kind=fit.kind,
        wrong=tuple(typeset(phrase(reason)) for reason in wrong),
        in_short=in_short(wrong),
        facts=tuple(facts),
        rows=tuple(rows),
        panels=tuple(panels),
        notes=tuple(fit.notes),
    )


def _wrong(comparison: Comparison, name: str) -> tuple[Reason, ...]:
    """Return what speaks against an engine: its status, failed checks, verdicts that blame it."""
    fit = comparison.fits[name]
    found = [] if fit.status == "ok" else [Reason(Code.STATUS, {"status": fit.status}, engine=name)]
    for pair in comparison.pairs:
        found += [reason for reason in pair.reasons if reason.engine == name]
        if pair.suspect == name and pair.verdict == "disagree":
            found.append(pair.reasons[0])
    return tuple(reason for i, reason in enumerate(found) if reason not in found[:i])


def _draw_facts(
    comparison: Comparison, fit: Fit, diagnostics: EngineDiagnostics
) -> list[tuple[str, str, str]]:
    chains, draws = fit.params.w.shape[:2]
    (rhat_of, rhat), (ess_of, ess) = (
        diagnostics.parameters.worst_rhat,
        diagnostics.parameters.worst_ess,
    )
    divergences, bfmi = diagnostics.divergences, diagnostics.e_bfmi
    switches = 1000 * np.array(diagnostics.switch_rate)
    summary = comparison.summaries[fit.engine]
    return [
        ("chain", "draws", f"{chains} chain{'s' if chains > 1 else ''} of {draws:,}"),
        ("rhat", "largest R-hat", f"{number(rhat, 4)} ({quantity(rhat_of)})"),
        ("ess", "smallest ESS", f"{number(ess, 0)} ({quantity(ess_of)})"),
        (
            "divergence",
            "divergences",
            NOT_APPLICABLE if divergences is None else f"{divergences:,}",
        ),
        (
            "ebfmi",
            "E-BFMI of each chain",
            NOT_APPLICABLE if bfmi is None else ", ".join(number(v, 2) for v in bfmi),
        ),
        (
            "label-switching",
            "label switches per 1,000 draws, each chain",
            ", ".join(significant(float(rate)) for rate in switches),
        ),
        ("log-likelihood", "mean log-likelihood", number(summary.log_lik, 2)),
        ("empty", "probability of an empty component", significant(summary.prob_empty)),
    ]


def _rows(diagnostics: EngineDiagnostics) -> list[QuantityRow]:
    found = diagnostics.parameters
    rows = []
    for name, rhat in found.rhat.items():
        k = component_of(name)
        bulk, tail = found.ess_bulk[name], found.ess_tail[name]
        rows.append(
            QuantityRow(
                words=quantity(name),
                colour="var(--ink)" if k is None else component_variable(k),
                rhat=number(rhat, 4),
                ess_bulk=number(bulk, 0),
                ess_tail=number(tail, 0),
                mcse=significant(found.mcse_mean[name]),
                bad=bool(rhat >= MAX_RHAT or min(bulk, tail) < MIN_ESS),
            )
        )
    return rows


def _draw_panels(
    comparison: Comparison, name: str, text: str
) -> list[tuple[str, tuple[Panel, ...]]]:
    """Show the log-likelihood and the parameter with the fewest effective draws."""
    fit, aligned = comparison.fits[name], comparison.alignments[name].params
    diagnostics = comparison.summaries[name].diagnostics
    assert diagnostics is not None, "an engine that draws has diagnostics"
    values = parameter_values(aligned, fit.stat("log_lik"))
    ess = {
        n: min(diagnostics.parameters.ess_bulk[n], diagnostics.parameters.ess_tail[n])
        for n in values
        if n != "log_lik"
    }
    slowest = min(ess, key=lambda n: ess[n] if np.isfinite(ess[n]) else np.inf)
    return [
        (
            quantity(shown),
            _three_panels(
                f"{name}-{i}", values[shown], shown, text, diagnostics.parameters.ess_bulk[shown]
            ),
        )
        for i, shown in enumerate(("log_lik", slowest))
    ]


def _three_panels(
    anchor: str, values: Array, shown: str, text: str, ess: float
) -> tuple[Panel, ...]:
    k = component_of(shown)
    colour = INK if k is None else component_colour(k)
    words = quantity(shown)
    chains = values.shape[0]
    ranks = _rank_shares(values)
    per_chain = max(1.0, (ess if np.isfinite(ess) else values.size) / chains)
    rho = autocorrelation(values, MAX_LAG)
    spread = float(np.abs(ranks - 1).max())
    lag = int(np.argmax(rho.max(axis=0) < 0.1)) if (rho.max(axis=0) < 0.1).any() else -1
    falls = f"falls below 0.1 after {lag}" if lag >= 0 else f"is above 0.1 up to {MAX_LAG}"
    label = words if len(words) < 24 else "value"
    return (
        trace_panel(
            f"{anchor}-trace",
            values,
            colour,
            label,
            f"Trace of the {words}, {text}, {chains} chains side by side: "
            f"chain means from {significant(float(values.mean(axis=1).min()), 4)} "
            f"to {significant(float(values.mean(axis=1).max()), 4)}.",
        ),
        rank_panel(
            f"{anchor}-rank",
            ranks,
            float(np.sqrt((RANK_BINS - 1) / per_chain)),
            colour,
            f"Rank plot of the {words}, {text}: a chain's share of ranks is at most "
            f"{number(100 * spread, 0)}{NO_BREAK}% from uniform.",
        ),
        autocorrelation_panel(
            f"{anchor}-acf",
            rho,
            colour,
            f"Autocorrelation of the {words}, {text}: it {falls} draws.",
        ),
    )


def _rank_shares(values: Array) -> Array:
    """Return each chain's share of ranks in each bin, times the number of bins."""
    chains, draws = values.shape
    ranks = rankdata(values).reshape(chains, draws) / values.size
    edges = np.linspace(0, 1, RANK_BINS + 1)
    counts = np.stack([np.histogram(row, edges)[0] for row in ranks])
    return np.asarray(counts * RANK_BINS / draws)


def _point_facts(comparison: Comparison, fit: Fit) -> list[tuple[str, str, str]]:
    summary = comparison.summaries[fit.engine]
    facts = [("log-likelihood", "log-likelihood", number(summary.log_lik, 2))]
    criteria = [n for n in ("aic", "bic", "icl") if fit.has_extra(n)]
    if criteria:
        values = ", ".join(number(float(fit.extra(n)), 1) for n in criteria)
        at = " at the posterior mode" if _is_mode(fit) else ""
        facts.append(("information", ", ".join(n.upper() for n in criteria) + at, values))
    if fit.has_extra("objective_path"):
        facts.append(("em", "iterations of the best", f"{fit.extra('objective_path').size - 1:,}"))
    facts += [
        ("rhat", "R-hat, ESS, MCSE", NOT_APPLICABLE),
        ("divergence", "divergences, E-BFMI", NOT_APPLICABLE),
    ]
    return facts


def _is_mode(fit: Fit) -> bool:
    """Whether EM climbed the posterior density, whose value is not the log-likelihood."""
    if not fit.has_extra("objective_path"):
        return False
    height = float(fit.stat("log_lik")[0, 0])
    return abs(float(fit.extra("objective_path")[-1]) - height) > 1e-6 * (1.0 + abs(height))


def _em_panels(fit: Fit, text: str) -> list[tuple[str, tuple[Panel, ...]]]:
    panels = []
    if fit.has_extra("objective_path") and fit.extra("objective_path").size > 1:
        path = np.asarray(fit.extra("objective_path"), dtype=float)
        climbed = "posterior density" if _is_mode(fit) else "likelihood"
        panels.append(
            climb_panel(
                path,
                f"{text}'s objective, the log {climbed}, rose from {number(path[0], 1)} to "
                f"{number(path[-1], 2)} in {path.size - 1} iterations and never fell.",
            )
        )
    if fit.has_extra("start_outcome") and fit.has_extra("start_objective"):
        outcome = np.asarray(fit.extra("start_outcome"))
        objective = np.asarray(fit.extra("start_objective"), dtype=float)
        iterations = np.asarray(fit.extra("start_iterations"), dtype=float)
        shown = np.isfinite(objective) & (outcome != COLLAPSED)
        best = objective[shown].max(initial=-np.inf)
        alike = int((objective[shown] > best - 0.01).sum())
        panels.append(
            starts_panel(
                objective[shown],
                iterations[shown],
                outcome[shown] == CONVERGED,
                f"{alike} of {outcome.size} starts ended at the best objective, "
                f"{number(float(best), 2)}.",
            )
        )
    return [("The climb, and where every start ended", tuple(panels))] if panels else []


@dataclass(frozen=True)
class LabelSection:
    """Raw and aligned means of one engine that draws."""

    name: str
    raw: Panel
    aligned: Panel
    sentence: str


def label_section(comparison: Comparison, name: str, looks: Looks) -> LabelSection:
    """Show the means as the engine labelled them, and after alignment.

    Parameters
    ----------
    comparison : Comparison
    name : str
        Of an engine that draws.
    looks : mapping of str to EngineLook
        How each engine is named and drawn.
    """
    alignment, K = comparison.alignments[name], comparison.K
    raw, text = comparison.fits[name].params.mu, looks[name].text
    within = float(alignment.switch_rate.max())
    orders = {tuple(row) for row in alignment.labels[:, 0]}
    if within > 0:
        how = (
            f"{text} switched labels within a chain, up to {significant(1000 * within)} times per "
            "1,000 draws"
        )
    elif len(orders) > 1:
        how = f"{text} never switched labels within a chain, but its chains number them differently"
    else:
        how = f"{text} kept one numbering in all chains"
    point = comparison.summaries[name].point.mu
    means = listed([f"{k + 1} around {significant(float(m), 3)}" for k, m in enumerate(point)])
    standing = np.argsort(alignment.labels, axis=-1)  # the component each label stands for
    return LabelSection(
        name=text,
        raw=labels_panel(
            f"labels-raw-{name}",
            raw,
            standing,
            f"Means under the {K} labels of {text}, coloured by component. {how}.",
        ),
        aligned=labels_panel(
            f"labels-aligned-{name}",
            alignment.params.mu,
            np.broadcast_to(np.arange(K), raw.shape),
            f"The same means of {text} after alignment, a row for each component: {means}.",
        ),
        sentence=f"{how}.",
    )
