"""Stan's NUTS (Carpenter et al. 2017) with the labels summed out, by httpstan, as PyStan 3 runs it.

One program serves all data, priors and K, which are its data block: the C++ compiler runs once, for
a minute or so, and httpstan keeps what it made. The likelihood runs over distinct values, with
counts, and in whole vectors: a loop over values takes more than twice as long to differentiate.
Before sampling, the log density of the compiled program is held against ours.

Compiler and chains run in a process of their own: httpstan forks, which a process with other
threads (JAX's, nutpie's, Numba's) may not survive, wants an event loop, which a notebook has taken,
and does not hear Ctrl-C.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare.engines.base import Configured, Draws, Problem, Seconds, Step, out_of_unit
from gmmcompare.engines.near import starting_points
from gmmcompare.engines.parity import LogDensity, check_density
from gmmcompare.model.card import StanSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import EngineError

PROGRAM = """data {
  int<lower=1> K;
  int<lower=0> D;
  vector[D] y;
  vector[D] counts;
  vector<lower=0>[K] weight_concentration;
  vector[K] mean_loc;
  vector<lower=0>[K] mean_sd;
  vector<lower=0>[K] var_shape;
  vector<lower=0>[K] var_scale;
}
parameters {
  simplex[K] w;
  vector[K] mu;
  vector<lower=0>[K] sigma_sq;
}
model {
  vector[K] sigma = sqrt(sigma_sq);
  w ~ dirichlet(weight_concentration);
  mu ~ normal(mean_loc, mean_sd);
  sigma_sq ~ inv_gamma(var_shape, var_scale);
  vector[D] log_density = rep_vector(negative_infinity(), D);
  for (k in 1:K) {
    vector[D] deviation = (y - mu[k]) / sigma[k];
    log_density = log_sum_exp(log_density, log(w[k]) - log(sigma[k]) - 0.5 * square(deviation));
  }
  target += dot_product(counts, log_density);
}
"""

PROCESS = "gmmcompare.engines.stan_process"

STATISTICS = {
    "diverging": "divergent__",
    "energy": "energy__",
    "n_steps": "n_leapfrog__",
    "tree_depth": "treedepth__",
    "acceptance_rate": "accept_stat__",
    "step_size": "stepsize__",
}
"""Statistics that are kept: ArviZ's name, and Stan's."""


def data_block(problem: Problem) -> dict[str, Any]:
    """Return the program's data: values and counts, (D,), and the fields of `Priors`, (K,)."""
    sample, priors = problem.sample, problem.priors.expanded(problem.K)
    hyperparameters = {f.name: np.asarray(getattr(priors, f.name)).tolist() for f in fields(priors)}
    values = {"y": sample.values.tolist(), "counts": sample.counts.astype(float).tolist()}
    return {"K": problem.K, "D": sample.n_distinct, **values, **hyperparameters}


class StanModel:
    """A compiled program, and the unconstrained space that Stan samples it in.

    Parameters
    ----------
    problem : Problem
    program : str
        Compiled if it has not been before.
    flags : sequence of str, optional
        For the compiler, instead of httpstan's own.

    Raises
    ------
    EngineError
        If the program cannot be compiled.
    """

    def __init__(self, problem: Problem, program: str, flags: Sequence[str] | None = None) -> None:
        from httpstan.models import calculate_model_name, import_services_extension_module

        name = calculate_model_name(program)
        try:
            self._compiled = import_services_extension_module(name)
        except KeyError:
            _apart({"build": program, "flags": flags})
            self._compiled = import_services_extension_module(name)
        self.name, self.data, self._K = name, data_block(problem), problem.K

    def of(self, params: Params) -> Array:
        """Return x."""
        return np.array(self._compiled.transform_inits(self.data, _values(params)))

    def params(self, x: Array) -> Params:
        """Return the parameters at x, arrays of shape (K,)."""
        flat = self._compiled.write_array(self.data, x.tolist(), False, False)
        w, mu, sigma_sq = np.array(flat).reshape(3, self._K)
        return Params(w, mu, np.sqrt(sigma_sq))

    def log_jacobian(self, x: Array) -> Array:
        """Return log |d(w, mu, sigma**2) / dx| up to a constant: what Stan itself adds for it."""
        with_it, without = (
            self._compiled.log_prob(self.data, x.tolist(), a) for a in (True, False)
        )
        return np.asarray(with_it - without)

    def density(self, problem: Problem) -> LogDensity:
        """Return the compiled log density and gradient on another problem's data and priors."""
        data, compiled = data_block(problem), self._compiled

        def log_density(x: Array) -> tuple[float, Array]:
            value = float(compiled.log_prob(data, x.tolist(), True))
            return value, np.array(compiled.log_prob_grad(data, x.tolist(), True))

        return log_density


def _values(params: Params) -> dict[str, list[float]]:
    by_name = {"w": params.w, "mu": params.mu, "sigma_sq": params.sigma**2}
    return {name: values.tolist() for name, values in by_name.items()}


class StanEngine(Configured[StanSettings]):
    """Stan's NUTS on the marginal likelihood."""

    name = "stan"

    def __init__(self, settings: StanSettings | None = None) -> None:
        super().__init__(settings or StanSettings())

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws:
        """Sample the posterior; the same seed gives the same draws, on any number of cores.

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
            If the program cannot be compiled, its density is not ours (see `check_density`), or
            Stan cannot go on.
        """
        s = self._settings
        began = time.perf_counter()
        inner, unit = problem.standardised()
        model = StanModel(inner, PROGRAM)
        rngs = [np.random.default_rng(q) for q in np.random.SeedSequence(seed).spawn(s.chains + 1)]
        found = check_density(model.density, inner, model, rngs.pop(), ("stan", "Stan"))
        starts = starting_points(inner, rngs) if s.start == "em" else None
        job = {
            "model": model.name,
            "data": model.data,
            "init": [_values(p) for p in starts] if starts else [{}] * s.chains,
            "random_seed": int(rngs[0].integers(1, 2**31)),
            "num_warmup": s.warmup,
            "num_samples": s.draws,
            "delta": s.target_accept,
        }
        ready = time.perf_counter()
        drawn = _apart(job, progress)
        finished = time.perf_counter()
        progress(1.0)
        w, mu, var = (
            np.stack([drawn[f"{name}.{k + 1}"] for k in range(inner.K)], axis=-1)
            for name in ("w", "mu", "sigma_sq")
        )
        return Draws(
            params=out_of_unit(Params(w, mu, np.sqrt(var)), unit),
            seconds=Seconds(prepare=ready - began, sample=finished - ready),
            stats={known: drawn[own] for known, own in STATISTICS.items()},
            extra={
                "parity_spread": np.array(found.spread),
                "parity_gradient_error": np.array(found.gradient_error),
                "versions": np.array([f"httpstan {version('httpstan')}"]),
            },
        )


def _apart(job: Mapping[str, Any], progress: Step = lambda _: None) -> dict[str, Array]:
    """Do a job in a process of its own, which ends when this one is interrupted."""
    with tempfile.TemporaryDirectory(prefix="gmmcompare-stan-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job))
        with (folder / "log").open("w+", errors="replace") as log:
            command = [sys.executable, "-m", PROCESS, name]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as child:
                try:
                    for line in child.stdout or ():
                        if line.startswith("done "):
                            progress(float(line.split()[1]))
                finally:
                    if child.poll() is None and sys.exc_info()[0] is not None:
                        child.terminate()
            if child.returncode:
                log.seek(0)
                raise EngineError(_failure(log.read(), "build" in job))
        return dict(np.load(drawn)) if (drawn := folder / "draws.npz").exists() else {}


def _failure(log: str, while_building: bool) -> str:
    said = [line.strip() for line in log.splitlines() if line.strip()] or ["nothing was said"]
    reason = said[-1].partition("Error: ")[2] or said[-1]
    if while_building:
        return (
            f"stan: the program cannot be compiled: {reason.rstrip('.')}; a C++ compiler is "
            "needed, such as Debian's g++"
        )
    return f"stan: Stan stopped: {reason.rstrip('.')}; check that the priors suit the data"
