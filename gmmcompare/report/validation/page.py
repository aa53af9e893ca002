"""From a validation to a page: what was tested, how sure that is, what moved, what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.comparison.names import listed
from gmmcompare.comparison.thresholds import MARGIN
from gmmcompare.report.frame.glossary import VALIDATION_GLOSSARY
from gmmcompare.report.frame.render import render
from gmmcompare.report.frame.strips import Scale
from gmmcompare.report.frame.words import (
    number,
    power_of_ten,
    quantity,
    scientific,
    significant,
)
from gmmcompare.report.validation import figures
from gmmcompare.runtime.files import write_text
from gmmcompare.validation.checks.conditionals import TOLERANCE
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.verdict import Check, Validation
from gmmcompare.validation.words import phrase

TITLES = {"passed": "Passed", "failed": "Failed", "inconclusive": "Inconclusive"}
ASKS = {
    "contract": "Does it accept its arguments, use all of them, and return valid values?",
    "conditionals": "Does each step draw from the model's full conditional?",
    "invariance": "Do sweeps leave the joint distribution of parameters and data unchanged?",
    "joint distribution": "Do sweeps that alternate with new data agree with fresh draws?",
    "sbc": "Is the rank of the true value among the draws uniform?",
    "posterior sbc": "Is that rank also uniform for parameters and data like yours?",
    "exact posterior": "Do chains started elsewhere reach a posterior that is known exactly?",
    "whole chains": "Do chains meet, wherever they start?",
    "mutants": "Which small mistakes in its source would have been caught?",
    "nuts": "Does it agree with NUTS on your data?",
}
MOST_ROWS = 12
_SURE = 0.01


def write_validation(found: Validation, path: str | Path, command: str = "") -> Path:
    """Write a validation as one self-contained HTML page.

    Parameters
    ----------
    found : Validation
    path : str or Path
    command : str
        What was typed; made up from the name and the seed if it is not known.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    path = Path(path)
    write_text(path, render("validation.html.j2", validation_context(found, command)))
    return path


def validation_context(found: Validation, command: str = "") -> dict[str, Any]:
    """Collect everything the template shows."""
    sections = {
        c.name: _SECTIONS[c.name](c) for c in found.checks if c.name in _SECTIONS and c.data
    }
    return {
        "title": found.name,
        "found": found,
        "verdict_title": TITLES[found.verdict],
        "sentence": _sentence(found),
        "brief": _brief(found),
        "checks": [_check_row(check) for check in found.checks],
        "sections": {name: content for name, content in sections.items() if content},
        "suspects": [
            {
                "rank": i,
                "fault": s.fault,
                "score": number(s.score, 2),
                "effect": s.effect,
                "mistake": s.mistake,
            }
            for i, s in enumerate(found.diagnosis.suspects, start=1)
        ],
        "command": command or f"gmmcompare validate {found.name} --seed {found.seed}",
        "glossary": VALIDATION_GLOSSARY,
    }


def _sentence(found: Validation) -> str:
    what = {"kernel": "This kernel", "sampler": "This sampler"}.get(found.kind, "This")
    if found.verdict == "passed":
        on = "data drawn from the model" if found.of_model else "data small enough to show errors"
        return (
            f"{what} passed every check: its draws cannot be told from the model's posterior, on "
            f"{on}."
        )
    wrong = [c for c in found.checks if c.verdict != "passed"]
    worst = next((c for c in wrong if c.verdict == "failed"), wrong[0] if wrong else None)
    if worst is None:
        return "Nothing was tested."
    lead = "is wrong" if found.verdict == "failed" else "could not be judged"
    return f"{what} {lead}. {worst.name.capitalize()}: {worst.summary}."


_PROMINENT = (Code.RNG_UNUSED, Code.RNG_NOT_ALONE, Code.NOT_REPRODUCIBLE, Code.PERMUTES_LABELS)
"""What is said at the top of the page, although no check failed for it."""


def _sentence_of(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _brief(found: Validation) -> list[tuple[str, str]]:
    replicates = sum(c.replicates for c in found.checks)
    rows = [("What was tested", f"{found.name}, a {found.kind}" if found.kind else found.name)]
    rows += [("Scope", _sentence_of(what)) for what in found.tested]
    rows += [("Note", _sentence_of(phrase(r))) for r in found.noticed if r.code in _PROMINENT]
    if found.diagnosis.suspects:
        likeliest = found.diagnosis.suspects[0]
        rows.append(("Most likely error", likeliest.effect))
    if found.error_rate:
        rows.append(
            ("How sure that is", f"False-positive rate at most {scientific(found.error_rate)}.")
        )
    rows.append(("Effort", f"{replicates:,} replicates in {number(found.seconds, 0)} seconds."))
    return rows


def _check_row(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict,
        "asks": ASKS.get(check.name, ""),
        "summary": check.summary,
        "replicates": f"{check.replicates:,}" if check.replicates else "",
        "seconds": number(check.seconds, 1),
        "error_rate": scientific(check.error_rate) if check.error_rate else "",
        "traceback": check.data.get("traceback", ""),
    }


def _conditionals(check: Check) -> dict[str, Any]:
    errors, p_values = check.data["ratio_errors"], check.data["p"]
    rows = [
        {
            "name": name,
            "error": _ratio_error(errors[name]) if name in errors else "",
            "wrong_ratio": _is_off(errors.get(name, 0.0)),
            "tests": len(np.atleast_1d(p)),
            "p": significant(_smallest(p), 2),
        }
        for name, p in p_values.items()
    ]
    panels = figures.difference_panels("cond", "", check.data["pits"], independent=True)
    return {"rows": rows, "panels": panels}


def _is_off(error: float | None) -> bool:
    """Whether a log density ratio is off; JSON has null for infinity."""
    return error is None or not error < TOLERANCE


def _ratio_error(error: float | None) -> str:
    if error is None or not np.isfinite(error):
        return number(np.inf)
    return power_of_ten(error) if error else "0"


def _smallest(p: Any) -> float:
    values = np.asarray(p, dtype=float)
    return float(np.nanmin(values)) if np.isfinite(values).any() else float("nan")


def _invariance(check: Check) -> dict[str, Any]:
    data = check.data
    if not data.get("path", {}).get("replicates"):
        return {}
    worst = max(data["scenes"], key=lambda name: data["scenes"][name]["log_wealth"])
    tried = [name for name, scene in data["scenes"].items() if scene["replicates"]]
    tables = {name: data["quantities"][name] for name in tried}
    return {
        "wealth": figures.wealth_panel(data["path"]),
        "scenes": [_scene(name, scene) for name, scene in data["scenes"].items()],
        "worst": worst,
        "moved": _moved(tables),
        "tested": sum(len(table["quantity"]) for table in tables.values()),
        "sweeps": data["scenes"][worst]["sweeps"],
        "positions": [_positions(name, data) for name in sorted(tried, key=lambda n: n != worst)],
    }


def _positions(scene: str, data: Mapping[str, Any]) -> dict[str, Any]:
    pits = data["pits"][scene]
    counts = dict(zip(pits["parameters"], pits["counts"], strict=True))
    return {
        "scene": scene,
        "what": _what(scene, data["scenes"][scene]),
        "K": data["scenes"][scene].get("K", 0),
        "panels": figures.difference_panels(f"pit-{scene}", scene, counts, independent=True),
    }


def _what(name: str, scene: Mapping[str, Any]) -> str:
    return name if "model" in scene else f"The {name} prior"


def _scene(name: str, scene: Mapping[str, Any]) -> dict[str, str]:
    power = scene["log_wealth"] / np.log(10.0)
    if "model" in scene:
        drawn, prior = "drawn from the model", "the model's own"
    else:
        drawn = f"N = {scene['N']}, K = {scene['K']}"
        prior = ", ".join(f"{key} {value}" for key, value in scene["priors"].items())
    return {
        "name": name,
        "data": drawn,
        "priors": prior,
        "replicates": f"{scene['replicates']:,}",
        "wealth": f"10^{power:.0f}" if power >= 2.0 else number(10.0**power, 2),
    }


def _moved(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the quantities that moved most, and how large a z value chance alone gives."""
    columns = ("quantity", "reference", "sweeps", "effect", "z", "replicates")
    rows = [
        (scene, *row)
        for scene, table in tables.items()
        for row in zip(*(table[name] for name in columns), strict=True)
    ]
    rows.sort(key=lambda row: -abs(float(row[5])))
    shown = rows[:MOST_ROWS]
    chance = _largest_by_chance(len(rows))
    scale = Scale.around([float(row[4]) for row in shown], 0.0, most=2.0)
    return {
        "scale": scale,
        "chance": number(chance, 1),
        "rows": [
            {
                "scene": scene,
                "quantity": quantity,
                "against": _against(reference, sweeps),
                "mark": scale.mark(float(effect), 1.96 / float(np.sqrt(n)), ""),
                "effect": number(float(effect), 3, sign=True),
                "z": number(float(z), 1, sign=True),
                "beyond": abs(float(z)) > chance,
            }
            for scene, quantity, reference, sweeps, effect, z, n in shown
        ],
    }


def _against(reference: str, sweeps: int) -> str:
    """Say what a quantity was compared with; a whole run has no number of sweeps."""
    if not sweeps:
        return "the prior draw"
    return (
        "fresh draws"
        if reference == "fresh"
        else "itself, one sweep before"
        if sweeps == 1
        else f"itself, {sweeps} sweeps before"
    )


def _largest_by_chance(m: int) -> float:
    """Return the z value that the largest of m exceeds by chance with probability `_SURE`."""
    from scipy.stats import norm

    return float(norm.isf(_SURE / (2.0 * max(m, 1))))


def _sbc(check: Check) -> dict[str, Any]:
    data = check.data
    if "ecdf" not in data:
        return {}
    panels = figures.rank_panels(data["ecdf"], data["names"], check.replicates)
    return {
        "panels": panels,
        "replicates": check.replicates,
        "thin": data["thin"],
        "moved": _moved(data["quantities"]),
        "expected": number(len(panels) * figures.BAND_ALPHA, 1),
        "count": len(panels),
    }


def _exact(check: Check) -> dict[str, Any]:
    data = check.data
    if "mean" not in data:
        return {}
    mean, se = np.asarray(data["mean"], dtype=float), np.asarray(data["se"], dtype=float)
    scale = Scale.around([*(mean - se), *(mean + se)], 0.0, most=1.0)
    return {
        "y": listed([f"{v:g}" for v in data["y"]]),
        "scale": scale,
        "rows": [
            {
                "name": name,
                "mark": scale.mark(float(m), float(1.96 * s), ""),
                "mean": number(float(m), 3, sign=True),
                "se": number(float(s), 3),
                "beyond": float(p) < check.error_rate,
            }
            for name, m, s, p in zip(data["names"], mean, se, data["p"], strict=True)
        ],
        "chance": number(_largest_by_chance(len(mean)), 1),
    }


def _nuts(check: Check) -> dict[str, Any]:
    data = check.data
    if "functionals" not in data:
        return {}
    table = data["functionals"]
    diff, se = (np.asarray(table[key], dtype=float) for key in ("diff", "se"))
    scale = Scale.around([*(diff - se), *(diff + se)], MARGIN, most=1.0)
    return {
        "data": data["data"],
        "n": f"{data['n']:,}",
        "reasons": data["reasons"],
        "scale": scale,
        "band": scale.band(MARGIN),
        "rows": [
            {
                "name": quantity(name),
                "mark": scale.mark(float(d), float(1.96 * s), ""),
                "diff": number(float(d), 3, sign=True),
                "se": number(float(s), 3),
            }
            for name, d, s in zip(table["name"], diff, se, strict=True)
        ],
    }


_SECTIONS = {
    "conditionals": _conditionals,
    "invariance": _invariance,
    "sbc": _sbc,
    "posterior sbc": _sbc,
    "exact posterior": _exact,
    "nuts": _nuts,
}
