"""The catalogue: what each code says, given its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gmmcompare.comparison.names import display_name, leading_name
from gmmcompare.comparison.reasons import Reason, ReasonCode

Says = Callable[..., str]
SAYS: dict[ReasonCode, Says] = {}


def says(code: ReasonCode) -> Callable[[Says], Says]:
    """Enter a function of the numbers that come with a code; it returns no full stop."""

    def enter(function: Says) -> Says:
        SAYS[code] = function
        return function

    return enter


def phrase(reason: Reason) -> str:
    """Say a reason without naming its engine, as in a list of what is wrong with that engine."""
    numbers = {key: reason.numbers[key] for key in reason.code.numbers}
    again = "when repeated, " if "round" in reason.numbers else ""
    return again + SAYS[reason.code](**numbers)


def phrases(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Say each of several reasons, as `phrase` does."""
    return tuple(map(phrase, reasons))


def clause(reason: Reason) -> str:
    """Say a reason, its engine first, as part of a sentence."""
    named = f"{display_name(reason.engine)}: " if reason.engine else ""
    return named + phrase(reason)


def sentence(reason: Reason) -> str:
    """Say a reason as a sentence of its own, after the number of components if it has one."""
    if "components" in reason.numbers:
        where = f"K = {reason.numbers['components']}{',' if reason.engine else ':'}"
        return f"{where} {clause(reason)}."
    said = phrase(reason)
    if reason.engine:
        return f"{leading_name(reason.engine)}: {said}."
    return f"{said[:1].upper()}{said[1:]}."


def counted(n: int, noun: str) -> str:
    """Write a number and its noun, which takes an s in the plural."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """Write a share in per cent, to three digits."""
    return f"{100 * share:.3g} %"
