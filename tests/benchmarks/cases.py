"""The cases of DESIGN.md section 8, each a few rows of the table."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.comparison.functionals import as_mapping, functionals
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.data import load_sample
from gmmcompare.engines.base import Draws, Problem, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.engines.gibbs.plain import sweep as plain_sweep
from gmmcompare.engines.nuts.engine import NutsEngine
from gmmcompare.model.card import EmSettings, GibbsSettings, NutsSettings
from gmmcompare.model.compiled import score
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from tests.benchmarks import course, errors
from tests.benchmarks.timing import Timings, interleaved, peak_memory_mb

K = 3
SEED = 4


@dataclass(frozen=True)
class Row:
    """One line of the report's table."""

    what: str
    median: str
    spread: str
    ratio: str = ""
    note: str = ""


def exoplanets() -> tuple[Sample, str]:
    """Return the real radii where GMMCOMPARE_EXOPLANETS names them, else the simulated ones."""
    path = os.environ.get("GMMCOMPARE_EXOPLANETS")
    source = path or "exoplanets-simulated"
    sample = load_sample(source, "pl_radj", "log10")
    return sample, "the snapshot of 2026-01-31" if path else "the simulated stand-in"


def _row(t: Timings, name: str, slow: str | None = None, note: str = "") -> Row:
    low, high = t.spread(name)
    ratio = f"{t.ratio(slow, name):.1f}x" if slow else "1"
    return Row(name, duration(t.median(name)), f"{duration(low)} to {duration(high)}", ratio, note)


def duration(seconds: float) -> str:
    """Write seconds in the unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _worst_ess(draws: Draws, sample: Sample) -> float:
    log_lik = score(sample, draws.params).log_lik
    at = np.unravel_index(int(log_lik.argmax()), log_lik.shape)
    reference = Reference.of(Params(*(a[at] for a in draws.params)), sample)
    found = functionals(align(draws.params, reference).params, log_lik, sample)
    return convergence(as_mapping(found)).worst_ess[1]


def gibbs_rows(sample: Sample) -> Iterator[Row]:
    """Gibbs on one core, per sweep; NumPy over all points, the plain one, the compiled one."""
    problem, y = Problem(sample, K, Priors()), sample.y
    start = Params(np.full(K, 1 / K), sample.quantiles([0.2, 0.5, 0.8]), np.full(K, sample.sd))

    def plain() -> None:
        rng, point = np.random.default_rng(SEED), start
        for _ in range(200):
            point = plain_sweep(*point, y, Priors(), rng)

    def fast() -> float:
        engine = GibbsEngine(GibbsSettings(chains=1, warmup=0, draws=10_000))
        return engine.run(problem, SEED, no_progress).seconds.sample

    t = interleaved(
        {
            "NumPy, all N points, stores z": (
                lambda: course.gibbs(y, K, 300, np.random.default_rng(SEED)),
                300,
            ),
            "gibbs_plain": (plain, 200),
            "gibbs": (fast, 10_000),
        },
        rounds=7,
        unit="sweep",
    )
    slow = "NumPy, all N points, stores z"
    yield _row(t, slow)
    yield _row(t, "gibbs_plain", slow)
    yield _row(t, "gibbs", slow, "must 24x, aim 60x")


def memory_rows() -> Iterator[Row]:
    """Peak memory of 10,000 sweeps beyond the imports."""
    common = (
        "import numpy as np\nfrom tests.benchmarks import cases, course\n"
        "sample, _ = cases.exoplanets()\ny = sample.y\n"
    )
    fast = (
        "from gmmcompare.engines.gibbs.engine import GibbsEngine\n"
        "from gmmcompare.engines.base import Problem, no_progress\n"
        "from gmmcompare.model.card import GibbsSettings\n"
        "from gmmcompare.model.priors import Priors\n"
        "problem = Problem(sample, 3, Priors())\n"
        "run = lambda n: GibbsEngine(GibbsSettings(chains=1, warmup=0, draws=n)).run("
        "problem, 4, no_progress)\nrun(10)\n"
    )
    course_run = "course.gibbs(y, 3, 10_000, np.random.default_rng(4))"
    slow_mb = peak_memory_mb(common, course_run)
    fast_mb = peak_memory_mb(common + fast, "kept = run(10_000)")
    yield Row("NumPy, all N points, stores z: memory", f"{slow_mb:.0f} MB", "", "1")
    yield Row(
        "gibbs: memory",
        f"{fast_mb:.1f} MB",
        "",
        f"{slow_mb / fast_mb:.0f}x",
        "must 40 MB or less, aim 3 MB",
    )


def em_rows(sample: Sample) -> Iterator[Row]:
    """EM per start, at the same log-likelihood."""
    from sklearn.mixture import GaussianMixture

    problem, y = Problem(sample, K, Priors()), sample.y[:, None]
    target = float(
        EmEngine(EmSettings()).run(problem, SEED, no_progress).extra["objective_path"][-1]
    )
    reached: list[float] = []

    def sklearn() -> None:
        mixture = GaussianMixture(
            K, tol=1e-9, max_iter=20_000, n_init=1, reg_covar=0.0, random_state=SEED
        ).fit(y)
        reached.append(float(mixture.score(y)) * sample.n)

    def ours() -> float:
        return EmEngine(EmSettings(starts=20)).run(problem, SEED, no_progress).seconds.sample

    t = interleaved({"scikit-learn EM": (sklearn, 1), "em": (ours, 20)}, rounds=5, unit="start")
    note = f"log-likelihood {min(reached):.3f} (optimum {target:.3f})"
    yield _row(t, "scikit-learn EM", note=note)
    yield _row(t, "em", "scikit-learn EM", f"log-likelihood {target:.3f}; must 100x")


def measured_rows() -> Iterator[Row]:
    """EM per start where values have errors, against extreme deconvolution."""
    found = list(errors.em_starts())
    seconds = {name: [start[name].seconds for start in found] for name in found[0]}
    for name in (errors.PYGMMIS, errors.PLAIN, errors.OURS):
        ratio = float(np.median(np.divide(seconds[errors.PYGMMIS], seconds[name])))
        apart = max(abs(start[name].height - start[errors.OURS].height) for start in found)
        low, middle, high = (duration(float(q)) for q in np.quantile(seconds[name], [0, 0.5, 1]))
        note = "must 10x" if name == errors.OURS else f"log-likelihood of em within {apart:.1g}"
        yield Row(name, middle, f"{low} to {high}", f"{ratio:.3g}x", note)


def nuts_rows(sample: Sample) -> Iterator[Row]:
    """NUTS: time in sampling, two chains of 1,000 + 1,000, and ESS per second."""
    import nutpie
    import pymc as pm

    best = EmEngine(EmSettings()).run(Problem(sample, K, Priors()), SEED, no_progress).params
    problem = Problem(sample, K, Priors(), (best,))
    ess: dict[str, list[float]] = {}
    model = course.documented_mixture(sample.y, K)
    initial = {"w": best.w, "mu": best.mu, "sigma_sq": best.sigma**2}
    with model:
        compiled = nutpie.compile_pymc_model(model, initial_points=initial)
    options = {"draws": 1000, "tune": 1000, "chains": 2}

    def documented(name: str, nuts_sampler: str) -> float:
        started = time.perf_counter()
        if nuts_sampler == "nutpie":
            tree = nutpie.sample(compiled, **options, cores=2, seed=SEED, progress_bar=False)
        else:
            with model:
                tree = pm.sample(
                    **options, cores=2, random_seed=SEED, progressbar=False, initvals=initial,
                    nuts_sampler="pymc", compute_convergence_checks=False,
                )  # fmt: skip
        seconds = time.perf_counter() - started
        posterior = tree["posterior"]
        params = Params(
            posterior["w"].values, posterior["mu"].values, np.sqrt(posterior["sigma_sq"].values)
        )
        _keep_ess(ess, name, Draws(params, None), sample, seconds)  # type: ignore[arg-type]
        return seconds

    def ours() -> float:
        settings = NutsSettings(chains=2, warmup=1000, draws=1000)
        draws = NutsEngine(settings).run(problem, SEED, no_progress)
        _keep_ess(ess, "nuts", draws, sample, draws.seconds.sample)
        return draws.seconds.sample

    first = "PyMC NormalMixture, nutpie"
    t = interleaved(
        {first: (lambda: documented(first, "nutpie"), 1), "nuts": (ours, 1)}, rounds=3, unit="run"
    )
    second = "PyMC NormalMixture, PyMC's NUTS"
    once = interleaved({second: (lambda: documented(second, "pymc"), 1)}, rounds=1, unit="run")
    yield _row(t, first, note=f"ESS {np.median(ess[first]):.0f} a second")
    yield _row(once, second, note=f"ESS {np.median(ess[second]):.0f} a second; once")
    yield _row(t, "nuts", first, f"ESS {np.median(ess['nuts']):.0f} a second; must 6x, aim 8x")


def _keep_ess(
    ess: dict[str, list[float]], name: str, draws: Draws, sample: Sample, seconds: float
) -> None:
    ess.setdefault(name, []).append(_worst_ess(draws, sample) / seconds)
