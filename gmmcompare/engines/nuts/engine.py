"""NUTS (Hoffman and Gelman 2014) on a PyMC model with the labels summed out.

Why components are left unordered, and chains start near EM solutions, unless asked otherwise. An
ordering constraint on the means makes labels unique, but it cuts the space along surfaces where two
means are equal, and a chain that comes to such a surface with its components in the wrong order
cannot walk through: it settles against the wall, in a mode of the constrained posterior that is
none of the mixture's. Chains there agree with one another, so R-hat sees nothing. On the exoplanet
radii with three components about one chain in four ends so when nutpie shakes its starts; others
end where a component is empty and its prior, nearly improper, has no scale. Without the constraint
the posterior has K! copies of each mode; a chain stays in one, which is harmless since every
comparison relabels. And a start near a mode that EM found spares the warmup a search in which it
can fail; the other engines, whose starts are dispersed, show whether that mode is the main one.

Before sampling, the very function that nutpie is given is held against `mixture` and `priors`.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import nutpie
import pymc as pm

from gmmcompare.engines.base import Configured, Draws, Problem, Seconds, Step, out_of_unit
from gmmcompare.engines.near import starting_points
from gmmcompare.engines.nuts.callbacks import compile_kept
from gmmcompare.engines.nuts.model import Form, build_model, model_inputs, without_fastmath
from gmmcompare.engines.nuts.unconstrained import Coordinates
from gmmcompare.engines.parity import LogDensity, check_density
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError, InputError

POLL = 0.02
"""Seconds between two looks at a chain: how long Ctrl-C can take to be noticed."""

STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "energy_error": "energy_error",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "step_size_bar": "step_size_bar",
    "tree_depth": "depth",
    "acceptance_rate": "mean_tree_accept",
    "reached_max_treedepth": "maxdepth_reached",
}
"""Statistics that are kept: ArviZ's name, which is PyMC's too, and nutpie's."""

PACKAGES = ("pymc", "nutpie", "pytensor", "numba")
"""Packages whose versions a fit records."""


@lru_cache(maxsize=16)
def _compiled(K: int, ordered: bool, measured: bool, form: Form) -> tuple[Any, Mapping[str, Any]]:
    """Compile the model of one K for nutpie; data, errors and priors are put in afterwards."""
    values = Sample.of(np.linspace(-1.0, 1.0, 4), errors=1.0 if measured else None)
    placeholder: Any = form.example(K)
    model, shared = build_model(model_inputs(Problem(values, K, placeholder)), ordered, form)
    of_errors = ", measured" if measured else ""
    with without_fastmath():
        return compile_kept(model, f"K {K}, ordered {ordered}{of_errors}{form.text}"), shared


class NutpieSampler:
    """nutpie, with a sampler of its own for every chain.

    One nutpie sampler calls one function for the starts of all its chains and does not tell it
    which chain is asking, and it takes one seed.
    """

    def __init__(self, problem: Problem, settings: NutsSettings) -> None:
        ordered = settings.identify == "ordered"
        self._settings = settings
        self._inputs = model_inputs(problem)
        self._coordinates = Coordinates(problem.K, ordered, problem.priors)
        self._compiled, self._shared = _compiled(
            problem.K,
            ordered,
            problem.sample.errors is not None,
            Form.of(problem.priors, problem.K),
        )

    def inputs_of(self, problem: Problem) -> dict[str, Array]:
        """Return what the compiled model has to be told of a problem."""
        return model_inputs(problem)

    def density(self, problem: Problem) -> LogDensity:
        """Return the compiled function that nutpie calls, on another problem's data and priors."""
        compiled = self._compiled.with_data(**self.inputs_of(problem))
        signature = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
        function = signature(compiled.compiled_logp_func.address)

        def log_density(x: Array) -> tuple[float, Array]:
            at, value, gradient = np.array(x), np.empty(1), np.empty(x.size)
            pointers = (a.ctypes.data for a in (at, gradient, value, compiled.user_data))
            if function(x.size, *pointers) != 0:
                raise EngineError(f"nuts: PyMC's log density is not a number at x = {x.tolist()}")
            return float(value[0]), gradient

        return log_density

    def sample(
        self, starts: Sequence[Params] | None, seeds: Sequence[int], progress: Step
    ) -> tuple[Params, dict[str, Array]]:
        """Run the chains, as many at a time as there are cores.

        Parameters
        ----------
        starts : sequence of Params or None
            One for each chain, in the units of the sampler's problem; None for nutpie's own starts.
        seeds : sequence of int
            One for each chain.
        progress : callable
            Called with the fraction of draws done, warmup included.

        Returns
        -------
        params : Params
            Arrays of shape (chains, draws, K).
        statistics : dict of str to ndarray
            By ArviZ's names, each of shape (chains, draws).

        Raises
        ------
        EngineError
            If nutpie cannot go on.
        """
        s = self._settings
        points = (
            self.own_starts(seeds) if starts is None else list(map(self._coordinates.of, starts))
        )
        compiled = self._compiled.with_data(**self._inputs)
        finished = [0] * len(seeds)

        def launch(chain: int) -> Any:
            def keep_count(chains: Sequence[Any]) -> None:
                finished[chain] = chains[0].finished_draws

            return nutpie.sample(
                replace(compiled, initial_point_func=lambda _: points[chain]),
                draws=s.draws,
                tune=max(1, s.warmup),  # nutpie cannot do with none
                chains=1,
                cores=1,
                seed=seeds[chain],
                target_accept=s.target_accept,
                save_warmup=False,
                store_unconstrained=True,
                progress_bar=False,
                progress_callback=keep_count,
                blocking=False,
            )

        total = len(seeds) * (s.warmup + s.draws)
        trees = _side_by_side(launch, len(seeds), lambda: progress(min(1.0, sum(finished) / total)))
        groups = [tree["sample_stats"] for tree in trees]
        x = np.concatenate([group["unconstrained_draw"].values for group in groups])
        return self._coordinates.params(x), _statistics(groups)

    def own_starts(self, seeds: Sequence[int]) -> list[Array]:
        """Return nutpie's own starts: the prior's centre, moved by up to 1 in every coordinate."""
        for name, array in self._inputs.items():
            self._shared[name].set_value(array)
        return [self._compiled.initial_point_func(seed) for seed in seeds]


def _side_by_side(launch: Callable[[int], Any], chains: int, tell: Callable[[], None]) -> list[Any]:
    """Run as many chains at a time as there are cores; on any exception stop those that run."""
    waiting = list(range(chains))
    running, results = dict[int, Any](), dict[int, Any]()
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                chain = waiting.pop(0)
                running[chain] = launch(chain)
            for chain, handle in list(running.items()):
                try:
                    results[chain] = handle.wait(timeout=POLL)
                except TimeoutError:
                    continue
                except RuntimeError as error:
                    raise _stopped("nutpie", error) from error
                del running[chain]
            tell()
    finally:
        for handle in running.values():
            handle.cancel()
    return [results[chain] for chain in range(chains)]


class PymcSampler:
    """PyMC's own NUTS, one chain after the other.

    In one process: PyMC runs chains side by side by forking, which a process with other threads
    (nutpie's, Numba's) may not survive.
    """

    def __init__(self, problem: Problem, settings: NutsSettings) -> None:
        self._settings = settings
        self._problem = problem

    def _model(self, problem: Problem) -> pm.Model:
        form = Form.of(problem.priors, problem.K)
        return build_model(model_inputs(problem), self._settings.identify == "ordered", form)[0]

    def inputs_of(self, problem: Problem) -> dict[str, Array]:
        """Return what the compiled model has to be told of a problem."""
        return model_inputs(problem)

    def density(self, problem: Problem) -> LogDensity:
        """Return PyMC's compiled log density, on another problem's data and priors."""
        with without_fastmath():
            compiled = self._model(problem).logp_dlogp_function(ravel_inputs=True)
        compiled.set_extra_values({})
        return lambda x: compiled(x)

    def sample(
        self, starts: Sequence[Params] | None, seeds: Sequence[int], progress: Step
    ) -> tuple[Params, dict[str, Array]]:
        """Run the chains one after the other.

        Parameters
        ----------
        starts : sequence of Params or None
            One for each chain, in the units of the sampler's problem; None for PyMC's own starts.
        seeds : sequence of int
            Only the first is used: PyMC derives one for each chain.
        progress : callable
            Called with the fraction of draws done, warmup included.

        Returns
        -------
        params : Params
            Arrays of shape (chains, draws, K).
        statistics : dict of str to ndarray
            By ArviZ's names, each of shape (chains, draws).

        Raises
        ------
        EngineError
            If PyMC cannot go on.
        """
        s = self._settings
        per_chain, done = s.warmup + s.draws, 0

        def count(draw: Any, **_: Any) -> None:
            nonlocal done
            if done != draw.chain * per_chain + draw.draw_idx:
                raise KeyboardInterrupt  # the first one ended a chain, and PyMC began the next
            done += 1
            progress(done / (s.chains * per_chain))

        model = self._model(self._problem)
        initial = None if starts is None else [_free_values(model, point) for point in starts]
        try:
            with model, without_fastmath():
                tree = pm.sample(
                    nuts_sampler="pymc",
                    draws=s.draws,
                    tune=s.warmup,
                    chains=s.chains,
                    cores=1,
                    random_seed=seeds[0],
                    target_accept=s.target_accept,
                    init="auto" if starts is None else "adapt_diag",
                    initvals=initial,
                    compute_convergence_checks=False,
                    discard_tuned_samples=False,  # without any, an interrupted run is a ValueError
                    callback=count,
                    quiet=True,
                )
        except Exception as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # it came while compiled code ran
                raise KeyboardInterrupt from None
            raise _stopped("PyMC", error) from error
        if done < s.chains * per_chain:
            raise KeyboardInterrupt
        w, mu, sigma_sq = (tree["posterior"][name].values for name in ("w", "mu", "sigma_sq"))
        return Params(w, mu, np.sqrt(sigma_sq)), _statistics([tree["sample_stats"]])


def _free_values(model: pm.Model, point: Params) -> dict[str, Array]:
    values = {"w": point.w, "mu": point.mu, "sigma_sq": point.sigma**2}
    values["shared_sigma_sq"] = np.exp(2.0 * np.log(point.sigma).mean())
    return {variable.name: values[variable.name] for variable in model.free_RVs}


def _stopped(sampler: str, error: Exception) -> EngineError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
    return EngineError(
        f"nuts: {sampler} stopped: {reason}; check that the priors suit the data, "
        'or try start = "default"'
    )


def _statistics(groups: Sequence[Any]) -> dict[str, Array]:
    """Return what ArviZ knows of the groups' statistics, one group's chains after the other's."""
    return {
        known: np.concatenate([np.asarray(g[known if known in g else own].values) for g in groups])
        for known, own in STATISTICS.items()
    }


_SAMPLERS: Mapping[str, type[NutpieSampler] | type[PymcSampler]] = {
    "nutpie": NutpieSampler,
    "pymc": PymcSampler,
}


class NutsEngine(Configured[NutsSettings]):
    """NUTS on the marginal likelihood; the module says what it samples and from where."""

    name = "nuts"

    def __init__(self, settings: NutsSettings | None = None) -> None:
        super().__init__(settings or NutsSettings())

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
        InputError
            If ``identify = "ordered"`` meets priors that differ between components.
        EngineError
            If PyMC's density is not ours (see `check_density`), or the sampler cannot go on.
        """
        s = self._settings
        self._refuse(problem)
        began = time.perf_counter()
        inner, unit = problem.standardised()
        sampler = self._sampler(inner)
        rngs = [np.random.default_rng(q) for q in np.random.SeedSequence(seed).spawn(s.chains + 1)]
        space = self._space(inner)
        found = check_density(sampler.density, inner, space, rngs.pop(), ("nuts", "PyMC"))
        starts = self._starts(inner, rngs) if s.start == "em" else None
        seeds = [int(rng.integers(2**31)) for rng in rngs]
        ready = time.perf_counter()
        draws, stats = sampler.sample(starts, seeds, progress)
        finished = time.perf_counter()
        progress(1.0)
        return Draws(
            params=self._kept(problem, out_of_unit(draws, unit)),
            seconds=Seconds(prepare=ready - began, sample=finished - ready),
            stats=stats,
            extra={
                "parity_spread": np.array(found.spread),
                "parity_gradient_error": np.array(found.gradient_error),
                "versions": np.array([f"{name} {version(name)}" for name in PACKAGES]),
            },
        )

    @property
    def _ordered(self) -> bool:
        return self._settings.identify == "ordered"

    def _refuse(self, problem: Problem) -> None:
        """Raise if the settings do not suit the problem."""
        if self._ordered and not problem.priors.exchangeable:
            raise InputError(
                'engines.nuts.identify = "ordered" needs the same priors for every component, as '
                'it keeps one order of the means and drops the others; use identify = "none"'
            )

    def _sampler(self, problem: Problem) -> Any:
        return _SAMPLERS[self._settings.nuts_sampler](problem, self._settings)

    def _space(self, problem: Problem) -> Any:
        """Return the coordinates in which the sampler moves."""
        return Coordinates(problem.K, self._ordered, problem.priors)

    def _starts(self, problem: Problem, rngs: Sequence[np.random.Generator]) -> Any:
        return starting_points(problem, rngs, self._ordered)

    def _kept(self, problem: Problem, params: Any) -> Any:
        """Return draws with what the priors know put in exactly."""
        return problem.priors.kept(params)
