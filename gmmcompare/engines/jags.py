"""JAGS (Plummer 2003), through pyjags: Gibbs sampling with an allocation for every observation.

The allocations are what makes JAGS fast here. Given them it knows every conditional distribution
(categorical, Dirichlet, normal, gamma), while with the labels summed out (`dnormmix`, or the zeros
trick over distinct values with counts) it would have to slice through a sum over all the data for
each of 3K parameters (`dnormmix` takes four times as long for a sweep over 500 observations). The
price is that ties do not help, and that JAGS takes long to build its graph of some thousand
observations: the time grows with their square.

JAGS has no log density that could be compared with ours. So the model's text is tried once, on a
small sample whose posterior is known exactly, and its draws without any data against the priors.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import numpy as np

from gmmcompare.engines.base import (
    Configured,
    Draws,
    Problem,
    Seconds,
    Step,
    no_progress,
    out_of_unit,
)
from gmmcompare.engines.near import starting_points
from gmmcompare.engines.trial import (
    TRIAL_CHAINS,
    TRIAL_DRAWS,
    TRIAL_PRIORS,
    terms_off_by_draws,
)
from gmmcompare.model.card import JagsSettings
from gmmcompare.model.params import Params
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.files import cache_folder

BLOCKS = 50
"""Between two of them a run tells how far it is, and can be interrupted."""

_tried = set[str]()


def model_text(K: int) -> str:
    """Return the model in the BUGS language; data and hyperparameters go by the names of `Priors`.

    BUGS writes a normal distribution with its precision, so tau = sigma**-2, and an inverse gamma
    variance is a gamma precision, whose second argument is a rate: our ``var_scale``.
    """
    weights = "w ~ ddirch(weight_concentration)" if K > 1 else "w[1] <- 1"
    allocation = "z[i] ~ dcat(w)" if K > 1 else "z[i] <- 1"
    return f"""model {{
  for (i in 1:N) {{
    {allocation}
    y[i] ~ dnorm(mu[z[i]], tau[z[i]])
  }}
  {weights}
  for (k in 1:K) {{
    mu[k] ~ dnorm(mean_loc[k], pow(mean_sd[k], -2))
    tau[k] ~ dgamma(var_shape[k], var_scale[k])
  }}
}}
"""


def _inputs(problem: Problem) -> dict[str, Any]:
    priors = problem.priors.expanded(problem.K)
    inputs = {f.name: np.asarray(getattr(priors, f.name)) for f in fields(priors)}
    if problem.K == 1:
        del inputs["weight_concentration"]  # JAGS warns of what is not used
    data = {"y": problem.sample.y} if problem.sample.n_distinct else {}
    return {**inputs, **data, "N": problem.sample.y.size, "K": problem.K}


class JagsEngine(Configured[JagsSettings]):
    """Gibbs sampling as JAGS arranges it; the module says on which model."""

    name = "jags"

    def __init__(self, settings: JagsSettings | None = None) -> None:
        super().__init__(settings or JagsSettings())

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Sample the posterior; the same seed gives the same draws.

        Parameters
        ----------
        problem : Problem
            Under ``start = "em"`` chains start near its ``starts``.
        seed : int
            Of the starts and the chains.
        progress : callable
            Called with the fraction of draws done, warmup included.

        Returns
        -------
        Draws
            ``extra`` holds the versions of what was used.

        Raises
        ------
        EngineError
            If JAGS does not draw from the exact posterior of a small sample (see `try_text`), or
            cannot go on.
        """
        import pyjags

        s = self._settings
        began = time.perf_counter()
        try_text(model_text(problem.K), problem.K)
        inner, unit = problem.standardised()
        rngs = [np.random.default_rng(q) for q in np.random.SeedSequence(seed).spawn(s.chains)]
        starts = starting_points(inner, rngs) if s.start == "em" else None
        seeds = [int(rng.integers(1, 2**31)) for rng in rngs]
        run = _Run(model_text(inner.K), inner, seeds, starts)
        ready = time.perf_counter()
        params = run.sample(s.warmup, s.draws, progress)
        finished = time.perf_counter()
        progress(1.0)
        jags = ".".join(map(str, pyjags.version()))
        return Draws(
            params=out_of_unit(params, unit),
            seconds=Seconds(prepare=ready - began, sample=finished - ready),
            extra={"versions": np.array([f"pyjags {version('pyjags')}", f"JAGS {jags}"])},
        )


class _Run:
    """A model that JAGS has built, with its data and chains."""

    def __init__(
        self,
        text: str,
        problem: Problem,
        seeds: Sequence[int],
        starts: Sequence[Params] | None = None,
    ) -> None:
        import pyjags

        self._K = problem.K
        self._error = pyjags.console.JagsError
        initial: list[dict[str, Any]] = [
            {".RNG.name": "base::Mersenne-Twister", ".RNG.seed": seed} for seed in seeds
        ]
        for chain, point in zip(initial, starts or [], strict=False):
            chain |= {"mu": point.mu, "tau": point.sigma**-2.0}
            if problem.K > 1:
                chain["w"] = point.w
        try:
            # Nothing is to be adapted: every conditional distribution is known.
            self._model = pyjags.Model(
                text, _inputs(problem), initial, len(seeds), adapt=0, progress_bar=False
            )
        except self._error as error:
            raise _stopped(error) from error

    def sample(self, warmup: int, draws: int, progress: Step = no_progress) -> Params:
        """Return draws, arrays of shape (chains, draws, K)."""
        done, kept = 0, []
        for length, keep in [*_blocks(warmup, False), *_blocks(draws, True)]:
            try:
                block = self._model.sample(length, vars=["w", "mu", "tau"])
            except self._error as error:
                raise _stopped(error) from error
            if keep:
                kept.append([np.asarray(block[name]) for name in ("w", "mu", "tau")])
            done += length
            progress(done / (warmup + draws))
        # pyjags returns (K, draws, chains).
        w, mu, tau = (np.concatenate(parts, axis=1).T for parts in zip(*kept, strict=True))
        with np.errstate(divide="ignore"):  # an empty component's precision may be 0
            return Params(w, mu, tau**-0.5)


def _blocks(total: int, keep: bool) -> Iterator[tuple[int, bool]]:
    size = max(1, -(-total // BLOCKS))
    for start in range(0, total, size):
        yield min(size, total - start), keep


def _stopped(error: Exception) -> EngineError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return EngineError(
        f"jags: JAGS stopped: {reason.rstrip('.')}; check that the priors suit the data: a "
        "precision that underflows, as an empty component's may under nearly improper priors, "
        "ends it"
    )


def try_text(text: str, K: int) -> None:
    """Let JAGS draw from priors and posterior of a small sample, and compare with exact answers.

    What was found correct is noted in the user's cache, for the text and the versions of JAGS and
    pyjags; the next run passes without.

    Parameters
    ----------
    text : str
        A model, as `model_text` writes it.
    K : int
        For how many components it is; it is tried with one or two.

    Raises
    ------
    EngineError
        If the draws are others; the message names the terms that are off.
    """
    import pyjags

    content = repr((text, pyjags.version(), version("pyjags"), TRIAL_PRIORS.to_dict()))
    key = hashlib.sha256(content.encode()).hexdigest()
    note = cache_folder() / "jags" / f"{key}.correct"
    if key in _tried or note.is_file():
        return

    def draw(problem: Problem) -> Params:
        return _Run(text, problem, range(1, TRIAL_CHAINS + 1)).sample(200, TRIAL_DRAWS)

    off = terms_off_by_draws(draw, min(K, 2))
    if off:
        raise EngineError(
            "jags: what JAGS draws is not the exact posterior of a small sample; what is off is "
            f"{' and '.join(off)}; the data cannot be the cause: report it, with the output of "
            "`gmmcompare engines`"
        )
    _tried.add(key)
    with suppress(OSError):  # a cache that cannot be written: tried again in the next process
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
