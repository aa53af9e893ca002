"""Starting points near modes that were found by other means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors


def starting_points(
    problem: Problem, rngs: Sequence[np.random.Generator], ordered: bool = False
) -> list[Params]:
    """Return one start per chain, near the problem's starts in turn.

    Each is moved by twice the sd that the parameters would have if the allocations were known, so
    that chains from one EM solution start apart. Where the problem brings no starts, the centre is
    a mixture of equal weights and sds at evenly spaced quantiles of the data.

    Parameters
    ----------
    problem : Problem
        With starts, best first, in the units of its sample.
    rngs : sequence of numpy.random.Generator
        One for each chain.
    ordered : bool
        Whether the means must ascend. Otherwise labels are those that the priors favour, and
        ascend before the move where priors are the same for all components.

    Returns
    -------
    list of Params
        One for each chain, arrays of shape (K,), in the units of the problem.
    """
    sample, K = problem.sample, problem.K
    quantiles = sample.quantiles((np.arange(K) + 0.5) / K)
    plain = Params(np.full(K, 1.0 / K), quantiles, np.full(K, (sample.sd or 1.0) / K))
    centres = [_labelled(centre, problem.priors) for centre in problem.starts or (plain,)]
    points = [_near(centres[c % len(centres)], sample.n, rng) for c, rng in enumerate(rngs)]
    return [point.ordered_by_mean() for point in points] if ordered else points


def _near(centre: Params, n: int, rng: np.random.Generator) -> Params:
    w, mu, sigma = centre
    root_n_k = np.sqrt(np.maximum(n * w, 1.0))
    logits, means, log_sigmas = 2.0 * rng.standard_normal((3, w.size)) / root_n_k
    weights = (w + 1e-12) * np.exp(logits)  # a weight of zero has no logit
    moved = sigma * np.exp(log_sigmas / np.sqrt(2.0))
    return Params(weights / weights.sum(), mu + means * sigma, moved)


def _labelled(centre: Params, priors: Priors) -> Params:
    """Return the point with the labels that the priors favour; in order of the means if none."""
    point = centre.ordered_by_mean()
    return point if priors.exchangeable else point.permuted(priors.favoured_order(point))
