"""NUTS on a PyMC model of the user's: draws of its free variables, in their own space."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gmmcompare.model.card import NutsSettings
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import EngineError

if TYPE_CHECKING:
    import pymc as pm


class NutsRun(NamedTuple):
    """Draws by name, (chains, draws, *shape), divergences, seconds, and what is worth a note."""

    arrays: dict[str, Array]
    divergences: int
    seconds: float
    notes: tuple[str, ...]


def run_nuts(model: pm.Model, settings: NutsSettings, seed: int) -> NutsRun:
    """Sample a PyMC model by nutpie; by PyMC's own steps where it has discrete variables.

    Parameters
    ----------
    model : pymc.Model
    settings : NutsSettings
        Chains, warmup, draws, target acceptance rate and which program samples.
    seed : int

    Raises
    ------
    EngineError
        If it cannot be sampled.
    """
    import pymc as pm

    discrete = [rv.name for rv in model.free_RVs if not np.issubdtype(rv.dtype, np.floating)]
    sampler = "pymc" if discrete else settings.nuts_sampler
    options: dict[str, Any] = {} if discrete else {"target_accept": settings.target_accept}
    started = time.perf_counter()
    try:
        with model:
            tree = pm.sample(
                draws=settings.draws,
                tune=settings.warmup,
                chains=settings.chains,
                cores=1 if sampler == "pymc" else None,
                nuts_sampler=sampler,
                random_seed=seed,
                progressbar=False,
                quiet=True,
                compute_convergence_checks=False,
                **options,
            )
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        raise EngineError(f"nuts: PyMC cannot sample the model: {text}") from error
    posterior = tree["posterior"]
    names = [rv.name for rv in model.free_RVs]
    arrays = {n: np.asarray(posterior[n].transpose("chain", "draw", ...).values) for n in names}
    stats = tree["sample_stats"] if "sample_stats" in tree.children else {}
    diverging = int(stats["diverging"].values.sum()) if "diverging" in stats else 0
    said = f"{', '.join(discrete)} discrete: PyMC's own steps were used, not NUTS alone"
    return NutsRun(arrays, diverging, time.perf_counter() - started, (said,) if discrete else ())
