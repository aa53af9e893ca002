"""What a student is told of a submission: plain words, no statistics, and not the answer."""

from __future__ import annotations

from gmmcompare.validation.faults.catalogue import FAULTS
from gmmcompare.validation.verdict import Validation

_STEPS = {
    "allocations": "the draw of the allocations z",
    "weights": "the draw of the weights w",
    "means": "the draw of the means mu",
    "sigmas": "the draw of the standard deviations sigma",
    "variances": "the draw of the standard deviations sigma",
    "parameters": "the order of the draws, and which values each of them uses",
}
"""Where a fault of the gallery is, by the step that it replaces."""
_BROKEN = (
    "It could not be tested, because it does not do what a sampler has to: take what it is given, "
    "use all of it, and return arrays of the right shapes without impossible values."
)


def for_student(found: Validation) -> str:
    """Return what to tell the author of a sampler, in three or four sentences.

    The line that is probably wrong is not given away, only the step that it is in.
    """
    if found.verdict == "passed":
        return (
            "Correct, as far as these tests can see: its draws come from the posterior, on every "
            "prior and every size that it was tried on."
        )
    if found.verdict == "inconclusive":
        first = (*found.remedies, *found.reasons, "no test came to an end")[0]
        return f"Not decided yet, so this is no verdict on your code: {first}."
    contract = next((c for c in found.checks if c.name == "contract"), None)
    if contract is not None and contract.verdict == "failed":
        return f"{_BROKEN} {_sentence(contract.summary)}"
    parts = [
        "It runs, but its draws do not come from the posterior. A plot or R-hat would not show "
        "this: a chain that converges to a wrong distribution looks as good as any."
    ]
    if findings := found.diagnosis.findings:
        parts.append(f"What is off: {_sentence(findings[0], capital=False)}")
    if where := _step(found):
        parts.append(f"Look at {where}: write down its full conditional and compare it, symbol by "
                     "symbol, with your code.")  # fmt: skip
    else:
        parts.append("Write down each full conditional and compare it, symbol by symbol, with your "
                     "code; then the order in which old and new values are used.")  # fmt: skip
    return " ".join(parts)


def cannot_run(message: str) -> str:
    """Return what to tell the author of a file that cannot be run."""
    return f"{_BROKEN} {_sentence(message)}"


def _step(found: Validation) -> str:
    """Return the step in which the first suspect is, or nothing."""
    if not found.diagnosis.suspects:
        return ""
    suspect = FAULTS.get(found.diagnosis.suspects[0].fault)
    step = suspect.step if suspect else ""
    return next((words for name, words in _STEPS.items() if name in step), "")


def _sentence(text: str, capital: bool = True) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper() if capital else text[:1]}{text[1:]}."
