"""What all sentences of this package share."""

from __future__ import annotations

from gmmcompare.comparison.words.catalogue import says
from gmmcompare.validation.reasons import Code

MORE_TIME = "allow more with time_limit"
KEEPS_Z = (
    "If it is z that is kept on purpose, the chain may be correct, but not as a kernel of (w, mu, "
    "sigma), which has to go on from any point: draw z first, from the (w, mu, sigma) and y that "
    "are given, or validate the whole sampler"
)


def rate(probability: float) -> str:
    """Write a false-positive rate, such as 1.1e-5."""
    mantissa, _, exponent = f"{probability:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def always(code: Code, text: str) -> None:
    """Say the same whatever a reason's numbers."""
    says(code)(lambda: text)
