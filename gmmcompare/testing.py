"""For the test suites of samplers' authors: one line that tests a kernel against the model.

>>> from gmmcompare.testing import assert_valid_kernel
>>> def test_my_sweep():
...     assert_valid_kernel(my_sweep)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gmmcompare.validation.run import DEFAULT_SEED, validate
from gmmcompare.validation.verdict import Validation


def assert_valid_kernel(
    sweep: str | Callable[..., Any],
    *,
    model: Any = None,
    quick: bool = True,
    seed: int = DEFAULT_SEED,
    jobs: int = 1,
    time_limit: float = 300.0,
    strict: bool = False,
) -> Validation:
    """Fail the test unless the sampler is correct.

    A correct kernel fails with probability at most `Validation.error_rate`, below 2e-5, whatever
    the seed; with a fixed seed the outcome repeats.

    Parameters
    ----------
    sweep : callable or str
        A kernel ``(w, mu, sigma, y, priors, rng)`` or a whole sampler; with a model
        ``(theta, y, rng)``; see `validate`.
    model : Model, pymc.Model, callable or str, optional
        The model that it samples, if that is no mixture of normals.
    quick : bool
        A few thousand replicates, in seconds. ``False`` looks for subtle errors too.
    seed, jobs, time_limit, strict
        As in `validate`.

    Returns
    -------
    Validation
        For a closer look.

    Raises
    ------
    AssertionError
        With the verdict, what moved and the likeliest faults.
    """
    found = validate(
        sweep, model=model, quick=quick, seed=seed, jobs=jobs, time_limit=time_limit, strict=strict
    )
    if found.verdict != "passed":
        raise AssertionError(str(found))
    return found
