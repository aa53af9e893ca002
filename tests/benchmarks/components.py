"""Measure samplers of the number of components: ``python -m tests.benchmarks.components``.

Prints effective draws of K+ per second on the galaxies, seconds per sweep by N, and p(K) of the
galaxies under the prior of Richardson and Green (1997), in which the scale of the variances has a
prior of its own. `reports/components.md` has the numbers of one run.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.special import gammaln

from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.data import load_sample
from gmmcompare.engines.base import chain_streams
from gmmcompare.engines.components import ComponentsDraws, ComponentsProblem, Lengths
from gmmcompare.engines.dirichlet_process import engine as dirichlet_process
from gmmcompare.engines.gibbs.compiled import prior_arrays, workspace
from gmmcompare.engines.layout import build_layout
from gmmcompare.engines.reversible_jump import engine as reversible_jump
from gmmcompare.engines.telescoping import engine as telescoping
from gmmcompare.engines.telescoping.compiled import Numbers, advance
from gmmcompare.model.params import Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample, Standardisation
from gmmcompare.runtime.bundled import bundled

PUBLISHED = {
    "galaxies": (0, 0, 0.061, 0.128, 0.182, 0.199, 0.160, 0.109, 0.071, 0.040, 0.023, 0.013, 0.006),
}
"""P(K | y), K = 1, 2, ..., of Richardson and Green (1997)."""
COLUMNS = {"galaxies": "velocity_1000km_s", "acidity": None, "enzyme": None}


def galaxies() -> ComponentsProblem:
    """Return the problem of the card ``galaxies-components``."""
    sample = load_sample(bundled("data") / "galaxies.csv", "velocity_1000km_s")
    return ComponentsProblem(sample, Priors(1.0, 21.7, 25.1, 2.0, 0.5), PriorOnK.of("uniform", 20))


def numpy_telescoping(
    problem: ComponentsProblem, sweeps: int, rng: np.random.Generator
) -> np.ndarray:
    """Run the telescoping sampler as a careful user writes it in NumPy; return K+, (sweeps,).

    No loop over observations or components, and gamma functions of all K at once.
    """
    y, (m0, s0, a, b) = problem.sample.y, problem.of_one
    K_all, c, log_prior = (
        np.arange(1, problem.max_K + 1), problem.concentrations, problem.on_k.log_prob
    )  # fmt: skip
    of_K = log_prior + gammaln(K_all * c) - gammaln(y.size + K_all * c) + gammaln(K_all + 1.0)
    K = problem.max_K // 2
    w, mu, sigma = np.full(K, 1 / K), rng.choice(y, K), np.full(K, y.std() / 2)
    path = np.empty(sweeps)
    for sweep in range(sweeps):
        log_p = np.log(w / sigma) - 0.5 * ((y[:, None] - mu) / sigma) ** 2
        up_to = np.exp(log_p - log_p.max(axis=1, keepdims=True)).cumsum(axis=1)
        z = (rng.random(y.size)[:, None] * up_to[:, -1:] >= up_to[:, :-1]).sum(axis=1)
        n = np.bincount(z, minlength=w.size)
        kept = n > 0
        z, n, sigma = (kept.cumsum() - 1)[z], n[kept], sigma[kept]
        precision = s0**-2 + n / sigma**2
        mean = (m0 / s0**2 + np.bincount(z, weights=y) / sigma**2) / precision
        mu = mean + rng.standard_normal(n.size) / np.sqrt(precision)
        squares = np.bincount(z, weights=(y - mu[z]) ** 2)
        sigma = np.sqrt((b + 0.5 * squares) / rng.standard_gamma(a + 0.5 * n))
        first = n.size - 1
        log_q = of_K[first:] - gammaln(K_all[first:] - first)
        log_q = log_q + (gammaln(n[:, None] + c[first:]) - gammaln(c[first:])).sum(axis=0)
        q = np.exp(log_q - log_q.max()).cumsum()
        K = n.size + int(np.searchsorted(q, rng.random() * q[-1], side="right"))
        empty = K - n.size
        mu = np.append(mu, rng.normal(m0, s0, empty))
        sigma = np.append(sigma, np.sqrt(b / rng.standard_gamma(a, empty)))
        w = rng.dirichlet(c[K - 1] + np.append(n, np.zeros(empty)))
        path[sweep] = n.size
    return path


def speed() -> None:
    """Print effective draws of K+ per second of processor time, one chain after another."""
    problem = galaxies()
    rates = {}

    def written(problem: ComponentsProblem, seed: int, lengths: Lengths) -> np.ndarray:
        sweeps = lengths.warmup + lengths.draws
        chains = [
            numpy_telescoping(problem, sweeps, np.random.default_rng([seed, i]))
            for i in range(lengths.chains)
        ]
        return np.array(chains)[:, lengths.warmup :]

    for name, run, sweeps in (
        ("telescoping, compiled", telescoping.run, 40_000),
        ("telescoping, plain", lambda *a: telescoping.run(*a, compiled=False), 4_000),
        ("telescoping, as a user writes it in NumPy", written, 4_000),
        ("reversible jump", reversible_jump.run, 40_000),
    ):
        run(problem, 1, Lengths(1, 0, 10))
        started = time.process_time()
        found = run(problem, 1, Lengths(2, 1000, sweeps))
        seconds = (time.process_time() - started) / (2 * (sweeps + 1000))
        rates[name] = seconds
        numbers = found if isinstance(found, np.ndarray) else found.n_occupied
        ess = convergence({"K+": numbers.astype(float)}).ess_bulk["K+"]
        print(
            f"{name}: {1e6 * seconds:.1f} us a sweep, {ess / (2 * sweeps * seconds):.2f} ESS of K+ "
            f"per second, mean of K+ {numbers.mean():.2f}"
        )
    for name, seconds in rates.items():
        print(f"{name} over compiled: {seconds / rates['telescoping, compiled']:.1f}")


def growth() -> None:
    """Print seconds a sweep for more and more distinct values, at K about 3."""
    rng = np.random.default_rng(1)
    for n in (1_000, 10_000, 100_000, 1_000_000):
        y = rng.normal(rng.choice([-4.0, 0.0, 4.0], n), 1.0)
        problem = ComponentsProblem(
            Sample.of(y), Priors(1.0, 0.0, 5.0, 2.0, 1.0), PriorOnK.of("uniform", 4)
        )
        telescoping.run(problem, 1, Lengths(1, 0, 1))
        sweeps = max(5, 2_000_000 // n)
        started = time.process_time()
        telescoping.run(problem, 1, Lengths(1, 0, sweeps))
        started_2 = time.process_time()
        telescoping.run(problem, 1, Lengths(1, 0, 2 * sweeps))
        seconds = (time.process_time() - started_2 - (started_2 - started)) / sweeps
        print(
            f"N = {n:,}: {1e3 * seconds:.3f} ms a sweep, {1e9 * seconds / n:.1f} ns an observation"
        )


def richardson_and_green(dataset: str, sweeps: int = 150_000, every: int = 5) -> None:
    """Print p(K) with beta ~ Gamma(0.2, 10 / R^2), R the range, K uniform on 1 to 30."""
    sample = load_sample(dataset, COLUMNS[dataset])
    unit = Standardisation.of(sample)
    span = float(np.ptp(sample.values)) / unit.scale
    middle = float(sample.values[[0, -1]].mean() - unit.shift) / unit.scale
    scaled, max_K = unit.apply(sample), 30
    layout = build_layout(scaled)
    found = []
    for streams in chain_streams(7, 4):
        priors = Priors(1.0, middle, span, 2.0, 0.02 * span**2)
        on_k = PriorOnK.of("uniform", max_K)
        problem = ComponentsProblem(scaled, priors, on_k)
        point = Params(np.full(max_K, 1 / max_K), np.zeros(max_K), np.ones(max_K))
        work, prior = workspace(point, layout.width), prior_arrays(priors, max_K)
        numbers = Numbers(on_k.log_prob, problem.concentrations)
        out = (
            *(np.full((1, max_K), np.nan) for _ in range(3)),
            *(np.zeros(1, dtype=np.int64) for _ in range(2)),
        )
        u, log_p, K = np.empty(sample.n), np.empty(max_K), 5
        rng, path = streams.parameters, []
        for sweep in range(sweeps):
            K = advance(
                1, K, layout, u, work, prior, numbers, log_p, streams.allocations, rng, 0, 1, out
            )
            precision = np.sum(work.sigma[:K] ** -2.0)
            prior.var_scale[:] = rng.gamma(0.2 + 2.0 * K, 1.0 / (10.0 / span**2 + precision))
            if sweep > sweeps // 10 and sweep % every == 0:
                path.append(K)
        found.append(path)
    K = np.array(found)
    values = {f"{k}": (k == K).astype(float) for k in range(1, max_K + 1)}
    mixing = convergence({**values, "K": K.astype(float)})
    prob = np.array([v.mean() for v in values.values()])
    published = PUBLISHED.get(dataset, ())
    print(f"{dataset}; K: ours (its error), published")
    for k in range(1, 15):
        said = f", {published[k - 1]:.3f}" if k <= len(published) else ""
        print(f"{k}: {prob[k - 1]:.4f} ({mixing.mcse_mean[f'{k}']:.4f}){said}")
    print(f"ESS of K {mixing.ess_bulk['K']:.0f}, R-hat {mixing.rhat['K']:.3f}")


def eight_priors() -> None:
    """Print P(K+) of the galaxies under eight priors; the data and the sampler are the same."""
    sample = galaxies().sample
    wide, narrow = Priors(1.0, 21.7, 25.1, 2.0, 0.5), Priors(1.0, 21.7, 25.1, 2.0, 5.0)
    few = Priors(0.1, 21.7, 25.1, 2.0, 0.5)
    near = Priors(1.0, 21.7, 10.0, 2.0, 0.5)
    rows = (
        ("K uniform, c = 1", wide, "uniform", False),
        ("K - 1 Poisson(1)", wide, "poisson(1)", False),
        ("K - 1 BNB(1, 4, 3)", wide, "bnb", False),
        ("K uniform, c = 0.1", few, "uniform", False),
        ("K uniform, c = 1/K", wide, "uniform", True),
        ("K uniform, sd of means 10", near, "uniform", False),
        ("K uniform, variances ten times larger", narrow, "uniform", False),
    )
    lengths = Lengths(4, 5000, 5000, 20)
    for name, priors, prior, dynamic in rows:
        problem = ComponentsProblem(sample, priors, PriorOnK.of(prior, 20), dynamic)
        _print_numbers(name, telescoping.run(problem, 3, lengths))
    lengths = Lengths(4, 1000, 5000, 4)
    _print_numbers("Dirichlet process(1)", dirichlet_process.run(galaxies(), 1.0, 3, lengths))


def inconsistency() -> None:
    """Print P(K+ = 1) of data from one normal, for more and more of them."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=2000)
    for n in (20, 200, 2000):
        sample = Sample.of(y[:n])
        problem = ComponentsProblem(sample, Priors(1.0, 0.0, 3.0, 2.0, 1.0), PriorOnK.of("bnb", 10))
        lengths = Lengths(4, 1000, 2000, 2)
        _print_numbers(f"N = {n}, K - 1 BNB(1, 4, 3)", telescoping.run(problem, 3, lengths))
        process = dirichlet_process.run(problem, 1.0, 3, Lengths(4, 500, 2000 if n < 2000 else 500))
        _print_numbers(f"N = {n}, Dirichlet process(1)", process)


def _print_numbers(name: str, found: ComponentsDraws) -> None:
    numbers = found.n_occupied
    mixing = convergence({"K+": numbers.astype(float)})
    share = np.bincount(numbers.ravel(), minlength=2) / numbers.size
    listed = ", ".join(f"{k}: {p:.3f}" for k, p in enumerate(share) if p > 0.005)
    print(
        f"{name}: {listed} (ESS {mixing.ess_bulk['K+']:.0f}, R-hat {mixing.rhat['K+']:.3f})",
        flush=True,
    )


if __name__ == "__main__":
    eight_priors()
    inconsistency()
    speed()
    growth()
    for dataset in COLUMNS:
        richardson_and_green(dataset)
