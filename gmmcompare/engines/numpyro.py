"""NumPyro's NUTS (Phan, Pradhan and Jankowiak 2019) with the labels summed out, on JAX.

The likelihood runs over distinct values, with counts. All chains advance together in one compiled
loop, in double precision. Before sampling, NumPyro's potential energy is held against ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from typing import Any

import numpy as np

from gmmcompare.engines.base import Configured, Draws, Problem, Seconds, Step, out_of_unit
from gmmcompare.engines.near import starting_points
from gmmcompare.engines.parity import LogDensity, check_density
from gmmcompare.model.card import NumpyroSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import EngineError

BLOCK = 50
"""Transitions between two of which a run tells how far it is, and can be interrupted."""

STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "n_steps": "num_steps",
    "acceptance_rate": "accept_prob",
    "step_size": "adapt_state.step_size",
}
"""Statistics that are kept: ArviZ's name, and NumPyro's."""

PACKAGES = ("numpyro", "jax", "jaxlib")


def model_inputs(problem: Problem) -> dict[str, Array]:
    """Return what the model is given: ``y`` and ``counts``, (D,); the fields of `Priors`, (K,)."""
    priors = problem.priors.expanded(problem.K)
    inputs = {f.name: np.array(getattr(priors, f.name)) for f in fields(priors)}
    return {"y": problem.sample.values, "counts": problem.sample.counts.astype(float), **inputs}


def mixture(inputs: Mapping[str, Any]) -> None:
    """State the model in NumPyro: ``w`` (not for K = 1), ``mu`` and ``sigma_sq``, all (K,)."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.special import logsumexp

    w = jnp.ones(1)
    if inputs["mean_loc"].size > 1:
        w = numpyro.sample("w", dist.Dirichlet(inputs["weight_concentration"]))
    mu = numpyro.sample("mu", dist.Normal(inputs["mean_loc"], inputs["mean_sd"]).to_event(1))
    sigma_sq = numpyro.sample(
        "sigma_sq", dist.InverseGamma(inputs["var_shape"], inputs["var_scale"]).to_event(1)
    )
    component = dist.Normal(mu, jnp.sqrt(sigma_sq))
    joint = jnp.log(w) + component.log_prob(inputs["y"][:, None])
    numpyro.factor("log_lik", jnp.sum(inputs["counts"] * logsumexp(joint, axis=1)))


class NumpyroModel:
    """The model of one problem, and the space that NumPyro samples it in.

    x is NumPyro's own: what its transforms make of mu, sigma**2 and w, one after the other.

    Parameters
    ----------
    problem : Problem
    state : callable
        The model, as a function of `model_inputs`.
    """

    def __init__(self, problem: Problem, state: Callable[[Any], None]) -> None:
        self._K, self._state = problem.K, state
        self.model = self._of(problem)

    def _of(self, problem: Problem) -> Callable[[], None]:
        return partial(self._state, model_inputs(problem))

    def unconstrained(self, params: Params) -> dict[str, Any]:
        """Return NumPyro's unconstrained values by name."""
        from numpyro.infer.util import unconstrain_fn

        point = {"w": params.w, "mu": params.mu, "sigma_sq": params.sigma**2}
        if self._K == 1:
            del point["w"]
        return dict(unconstrain_fn(self.model, (), {}, point))

    def of(self, params: Params) -> Array:
        """Return x."""
        free = self.unconstrained(params)
        return np.concatenate([np.asarray(free[name]) for name in sorted(free)])

    def _split(self, x: Any) -> dict[str, Any]:
        K = self._K
        parts = {"mu": x[:K], "sigma_sq": x[K : 2 * K], "w": x[2 * K :]}
        return parts if K > 1 else {name: parts[name] for name in ("mu", "sigma_sq")}

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (K,)."""
        return self.constrained(self._split(x))

    def constrained(self, free: Mapping[str, Any]) -> Params:
        """Return the parameters at NumPyro's unconstrained values, shape (..., K)."""
        from numpyro.distributions import biject_to, constraints

        mu = np.asarray(free["mu"])
        w = biject_to(constraints.simplex)(free["w"]) if self._K > 1 else np.ones_like(mu)
        sigma_sq = biject_to(constraints.positive)(free["sigma_sq"])
        return Params(np.asarray(w), mu, np.sqrt(np.asarray(sigma_sq)))

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx|, shape ()."""
        from numpyro.distributions import biject_to, constraints

        found = np.asarray(x[self._K : 2 * self._K]).sum()
        if self._K > 1:
            transform, free = biject_to(constraints.simplex), x[2 * self._K :]
            found = found + transform.log_abs_det_jacobian(free, transform(free))
        return np.asarray(found)

    def density(self, problem: Problem) -> LogDensity:
        """Return NumPyro's log density and gradient on another problem's data and priors."""
        import jax
        from numpyro.infer.util import potential_energy

        model = self._of(problem)
        both = jax.jit(
            jax.value_and_grad(lambda x: -potential_energy(model, (), {}, self._split(x)))
        )

        def log_density(x: Array) -> tuple[float, Array]:
            value, gradient = both(x)
            return float(value), np.asarray(gradient)

        return log_density


class NumpyroEngine(Configured[NumpyroSettings]):
    """NumPyro's NUTS on the marginal likelihood."""

    name = "numpyro"

    def __init__(self, settings: NumpyroSettings | None = None) -> None:
        super().__init__(settings or NumpyroSettings())

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Sample the posterior; the same seed gives the same draws.

        Parameters
        ----------
        problem : Problem
            Under ``start = "em"`` chains start near its ``starts``.
        seed : int
            Of the points of the parity check, the starts and the chains.
        progress : callable
            Called with the fraction of draws done, warmup included.

        Returns
        -------
        Draws
            ``extra`` holds what the parity check found and the versions of what was used.

        Raises
        ------
        EngineError
            If NumPyro's density is not ours (see `check_density`), or it cannot go on.
        """
        import jax

        with jax.enable_x64(True):  # for this run: JAX is the user's, too
            return self._run(problem, seed, progress)

    def _run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        import jax

        s = self._settings
        began = time.perf_counter()
        inner, unit = problem.standardised()
        model = NumpyroModel(inner, mixture)
        rngs = [np.random.default_rng(q) for q in np.random.SeedSequence(seed).spawn(s.chains + 1)]
        found = check_density(model.density, inner, model, rngs.pop(), ("numpyro", "NumPyro"))
        starts = starting_points(inner, rngs) if s.start == "em" else None
        key = jax.random.key(int(rngs[0].integers(2**31)))
        ready = time.perf_counter()
        try:
            params, stats = self._sampled(model, starts, key, progress)
        except (RuntimeError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise EngineError(f"numpyro: NumPyro stopped: {reason}") from error
        finished = time.perf_counter()
        progress(1.0)
        return Draws(
            params=out_of_unit(params, unit),
            seconds=Seconds(prepare=ready - began, sample=finished - ready),
            stats=stats,
            extra={
                "parity_spread": np.array(found.spread),
                "parity_gradient_error": np.array(found.gradient_error),
                "versions": np.array([f"{name} {version(name)}" for name in PACKAGES]),
            },
        )

    def _sampled(
        self, model: NumpyroModel, starts: Sequence[Params] | None, key: Any, progress: Step
    ) -> tuple[Params, dict[str, Array]]:
        import jax
        from numpyro.infer import NUTS

        s = self._settings
        initial = None
        if starts is not None:
            points = [model.unconstrained(point) for point in starts]
            initial = {n: np.stack([np.asarray(p[n]) for p in points]) for n in points[0]}
        kernel = NUTS(model.model, target_accept_prob=s.target_accept)
        state = kernel.init(jax.random.split(key, s.chains), s.warmup, initial, (), {})
        statistics = tuple(STATISTICS.values())

        def step(state: Any, _: None) -> tuple[Any, dict[str, Any]]:
            state = kernel.sample(state, (), {})
            return state, {**{n: attrgetter(n)(state) for n in statistics}, **state.z}

        # One function for warmup and draws, since compiling it takes longer than many a run; MCMC
        # of NumPyro would compile it anew for every block.
        block = jax.jit(partial(jax.lax.scan, step, length=BLOCK))
        total, kept = s.warmup + s.draws, []
        for start in range(0, total, BLOCK):
            progress(start / total)
            state, found = block(state)
            kept.append({name: np.asarray(values) for name, values in found.items()})
        every = {
            n: np.swapaxes(np.concatenate([b[n] for b in kept])[s.warmup : total], 0, 1)
            for n in kept[0]
        }
        params = model.constrained({n: every[n] for n in ("mu", "sigma_sq", "w") if n in every})
        return params, {known: every[own] for known, own in STATISTICS.items()}
