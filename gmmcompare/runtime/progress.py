"""How work tells how far it is: one protocol for engines, checks, studies and lessons.

Whoever does one thing calls a `Step` with the fraction done. Whoever does several calls a
`Progress`, which has the name of each beside it, and gives each its own step by
``partial(progress, name)``. A name's first fraction is below 1 and its last is 1. A name whose
only fraction is 1 took no work: what it names was there already.
"""

from __future__ import annotations

from collections.abc import Callable

Step = Callable[[float], None]
"""Called with the fraction done, from any thread."""
Progress = Callable[[str, float], None]
"""Called with a name and the fraction of it that is done, from any thread."""


def no_progress(*news: object) -> None:
    """Ignore progress of either kind."""
