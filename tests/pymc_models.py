"""Ten PyMC models of the kinds that people write, and for each a sampler, and one with a mistake.

`MODELS` maps names to functions without arguments that return a ``pm.Model``; `SWEEPS` and
`WRONG_SWEEPS` map the same names to kernels ``sweep(theta, y, rng) -> dict`` for one point, plain
NumPy as a user would write it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import special

_rng = np.random.default_rng(20261127)
REGRESSION_X = np.column_stack([np.ones(20), _rng.normal(size=(20, 2))])
BINARY_X = np.column_stack([np.ones(25), _rng.normal(size=25)])
EIGHT_SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
EIGHT_Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
GP_X = np.linspace(0.0, 1.0, 10)
YEARS = np.arange(30)
DOSES = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0])


def regression() -> Any:
    """Normal regression with a conditionally conjugate prior."""
    y = REGRESSION_X @ [1.0, 2.0, -1.0] + np.sin(np.arange(20))
    with pm.Model() as model:
        beta = pm.Normal("beta", 0.0, 2.0, shape=3)
        sigma_sq = pm.InverseGamma("sigma_sq", 3.0, 2.0)
        pm.Normal("y", REGRESSION_X @ beta, pt.sqrt(sigma_sq), observed=y)
    return model


def eight_schools() -> Any:
    """Eight schools, non-centred."""
    with pm.Model(coords={"school": list("ABCDEFGH")}) as model:
        mu = pm.Normal("mu", 0.0, 5.0)
        tau = pm.HalfCauchy("tau", 5.0)
        z = pm.Normal("z", 0.0, 1.0, dims="school")
        effect = pm.Deterministic("effect", mu + tau * z, dims="school")
        pm.Normal("y", effect, EIGHT_SIGMA, observed=EIGHT_Y, dims="school")
    return model


def probit() -> Any:
    """Probit regression."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0.0, 1.5, shape=2)
        pm.Bernoulli("y", pm.math.invprobit(BINARY_X @ beta), observed=np.arange(25) % 2)
    return model


def logistic() -> Any:
    """Logistic regression of counts out of four."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0.0, 1.0, shape=2)
        counts = np.arange(25) % 5
        pm.Binomial("y", n=4, logit_p=BINARY_X @ beta, observed=counts)
    return model


def change_point() -> Any:
    """Poisson counts whose rate changes once, in a year that is not known."""
    with pm.Model() as model:
        year = pm.DiscreteUniform("year", 1, len(YEARS) - 1)
        early = pm.Gamma("early", 2.0, 1.0)
        late = pm.Gamma("late", 2.0, 1.0)
        rate = pm.math.switch(year > YEARS, early, late)
        pm.Poisson("disasters", rate, observed=np.where(YEARS < 12, 3, 1))
    return model


def normal_mixture() -> Any:
    """Two normals with labels summed out."""
    with pm.Model() as model:
        w = pm.Beta("w", 2.0, 2.0)
        mu = pm.Normal("mu", 0.0, 3.0, shape=2)
        sigma = pm.HalfNormal("sigma", 1.0)
        pm.NormalMixture(
            "y", pt.stack([w, 1.0 - w]), mu, sigma=sigma, observed=np.linspace(-3.0, 3.0, 15)
        )
    return model


def gaussian_process() -> Any:
    """A Gaussian process at ten points, integrated out, with noise."""
    with pm.Model() as model:
        length = pm.InverseGamma("length", 5.0, 2.0)
        eta = pm.HalfNormal("eta", 1.0)
        noise = pm.HalfNormal("noise", 0.5)
        gp = pm.gp.Marginal(cov_func=eta**2 * pm.gp.cov.ExpQuad(1, ls=length))
        gp.marginal_likelihood("y", X=GP_X[:, None], y=np.sin(6.0 * GP_X), sigma=noise)
    return model


def dirichlet() -> Any:
    """Counts of four kinds with a Dirichlet prior."""
    with pm.Model() as model:
        p = pm.Dirichlet("p", [1.0, 2.0, 3.0, 0.5])
        pm.Multinomial("counts", n=20, p=p, observed=[4, 7, 8, 1])
    return model


def cholesky() -> Any:
    """Three dimensions with unknown mean and covariance, by its Cholesky factor."""
    with pm.Model() as model:
        chol, _, _ = pm.LKJCholeskyCov(
            "chol", n=3, eta=2.0, sd_dist=pm.Exponential.dist(1.0), compute_corr=True
        )
        mu = pm.Normal("mu", 0.0, 1.0, shape=3)
        y = np.random.default_rng(5).normal(size=(12, 3))
        pm.MvNormal("y", mu, chol=chol, observed=y)
    return model


def two_observed() -> Any:
    """One latent strength seen in a measurement and in counts."""
    with pm.Model() as model:
        strength = pm.Normal("strength", 0.0, 1.0)
        slope = pm.Gamma("slope", 4.0, 4.0)
        pm.Normal("gauge", strength, 0.5, observed=0.3)
        pm.Poisson("clicks", pt.exp(slope * strength) * DOSES, observed=[0, 1, 2, 2, 3, 6])
    return model


MODELS = {
    f.__name__: f
    for f in (
        regression,
        eight_schools,
        probit,
        logistic,
        change_point,
        normal_mixture,
        gaussian_process,
        dirichlet,
        cholesky,
        two_observed,
    )
}


def normal_given_precision(precision: Any, shift: Any, rng: Any) -> Any:
    """Draw from the normal distribution with log density ``-x' P x / 2 + shift' x``."""
    L = np.linalg.cholesky(precision)
    return np.linalg.solve(L.T, np.linalg.solve(L, shift) + rng.normal(size=len(shift)))


def regression_sweep(theta, y, rng):
    X, s2 = REGRESSION_X, theta["sigma_sq"]
    beta = normal_given_precision(X.T @ X / s2 + np.eye(3) / 4.0, X.T @ y / s2, rng)
    rest = y - X @ beta
    sigma_sq = (2.0 + rest @ rest / 2.0) / rng.gamma(3.0 + len(y) / 2.0)
    return {"beta": beta, "sigma_sq": sigma_sq}


def regression_wrong(theta, y, rng):
    """The sum of squares is not halved."""
    X, s2 = REGRESSION_X, theta["sigma_sq"]
    beta = normal_given_precision(X.T @ X / s2 + np.eye(3) / 4.0, X.T @ y / s2, rng)
    rest = y - X @ beta
    sigma_sq = (2.0 + rest @ rest) / rng.gamma(3.0 + len(y) / 2.0)
    return {"beta": beta, "sigma_sq": sigma_sq}


def _eight_schools(theta, y, rng, jacobian):
    tau, v = theta["tau"], EIGHT_SIGMA**2
    precision = tau**2 / v + 1.0
    z = tau * (y - theta["mu"]) / v / precision + rng.normal(size=8) / np.sqrt(precision)
    precision = np.sum(1.0 / v) + 1.0 / 25.0
    mu = np.sum((y - tau * z) / v) / precision + rng.normal() / np.sqrt(precision)

    def log_target(t):
        fit = -0.5 * np.sum((y - mu - t * z) ** 2 / v)
        return fit - np.log1p((t / 5.0) ** 2) + jacobian * np.log(t)

    for _ in range(3):
        proposal = tau * np.exp(rng.normal())
        if np.log(rng.random()) < log_target(proposal) - log_target(tau):
            tau = proposal
    return {"mu": mu, "tau": tau, "z": z}


def eight_schools_sweep(theta, y, rng):
    return _eight_schools(theta, y, rng, jacobian=1.0)


def eight_schools_wrong(theta, y, rng):
    """The random walk of log tau without its Jacobian."""
    return _eight_schools(theta, y, rng, jacobian=0.0)


def _probit(theta, y, rng, prior_precision):
    X = BINARY_X
    m, u = X @ theta["beta"], rng.random(len(y))
    latent = np.where(
        y == 1,
        m - special.ndtri(u * special.ndtr(m)),
        m + special.ndtri(u * special.ndtr(-m)),
    )
    return {"beta": normal_given_precision(X.T @ X + prior_precision, X.T @ latent, rng)}


def probit_sweep(theta, y, rng):
    return _probit(theta, y, rng, np.eye(2) / 1.5**2)


def probit_wrong(theta, y, rng):
    """The prior's variance where its precision belongs."""
    return _probit(theta, y, rng, np.eye(2) * 1.5**2)


def _logistic(theta, y, rng, log_prior):
    def log_target(b):
        eta = BINARY_X @ b
        return np.sum(y * eta - 4.0 * np.logaddexp(0.0, eta)) + log_prior(b)

    beta = theta["beta"]
    for _ in range(3):
        proposal = beta + 0.4 * rng.normal(size=2)
        if np.log(rng.random()) < log_target(proposal) - log_target(beta):
            beta = proposal
    return {"beta": beta}


def logistic_sweep(theta, y, rng):
    return _logistic(theta, y, rng, lambda b: -0.5 * b @ b)


def logistic_wrong(theta, y, rng):
    """The prior is left out of the acceptance ratio."""
    return _logistic(theta, y, rng, lambda b: 0.0)


def _change_point(theta, y, rng, extra):
    year = int(theta["year"])
    early = rng.gamma(2.0 + y[: year + extra].sum()) / (1.0 + year)
    late = rng.gamma(2.0 + y[year:].sum()) / (1.0 + len(y) - year)
    years = np.arange(1, len(y))
    before = np.cumsum(y)[:-1]
    log_p = before * np.log(early) - years * early
    log_p += (y.sum() - before) * np.log(late) - (len(y) - years) * late
    p = np.exp(log_p - log_p.max())
    return {"year": rng.choice(years, p=p / p.sum()), "early": early, "late": late}


def change_point_sweep(theta, y, rng):
    return _change_point(theta, y, rng, extra=0)


def change_point_wrong(theta, y, rng):
    """The early rate takes one year too many."""
    return _change_point(theta, y, rng, extra=1)


def _normal_mixture(theta, y, rng, jacobian):
    def log_target(w, mu, sigma):
        part = -0.5 * ((y[:, None] - mu) / sigma) ** 2 - np.log(sigma)
        fit = np.logaddexp.reduce(part + np.log([w, 1.0 - w]), axis=1).sum()
        prior = np.log(w * (1.0 - w)) - 0.5 * np.sum(mu**2) / 9.0 - 0.5 * sigma**2
        return fit + prior + jacobian * np.log(w * (1.0 - w)) + np.log(sigma)

    now = [theta["w"], theta["mu"], theta["sigma"]]
    for i, scale in enumerate((0.8, 0.5, 0.3)):
        new = list(now)
        if i == 0:
            new[0] = special.expit(special.logit(now[0]) + scale * rng.normal())
        elif i == 1:
            new[1] = now[1] + scale * rng.normal(size=2)
        else:
            new[2] = now[2] * np.exp(scale * rng.normal())
        if np.log(rng.random()) < log_target(*new) - log_target(*now):
            now = new
    return dict(zip(("w", "mu", "sigma"), now, strict=True))


def normal_mixture_sweep(theta, y, rng):
    return _normal_mixture(theta, y, rng, jacobian=1.0)


def normal_mixture_wrong(theta, y, rng):
    """The random walk of logit w without its Jacobian."""
    return _normal_mixture(theta, y, rng, jacobian=0.0)


def _gaussian_process(theta, y, rng, determinant):
    d2 = (GP_X[:, None] - GP_X) ** 2

    def log_target(q):
        length, eta, noise = np.exp(q)
        K = eta**2 * np.exp(-0.5 * d2 / length**2) + (noise**2 + 1e-6) * np.eye(10)
        L = np.linalg.cholesky(K)
        white = np.linalg.solve(L, y)
        fit = -0.5 * white @ white - determinant * np.log(np.diag(L)).sum()
        prior = -6.0 * np.log(length) - 2.0 / length - 0.5 * eta**2 - 0.5 * (noise / 0.5) ** 2
        return fit + prior + q.sum()

    q = np.log([theta["length"], theta["eta"], theta["noise"]])
    for i in range(3):
        proposal = q.copy()
        proposal[i] += 0.6 * rng.normal()
        if np.log(rng.random()) < log_target(proposal) - log_target(q):
            q = proposal
    return dict(zip(("length", "eta", "noise"), np.exp(q), strict=True))


def gaussian_process_sweep(theta, y, rng):
    return _gaussian_process(theta, y, rng, determinant=1.0)


def gaussian_process_wrong(theta, y, rng):
    """Half of the logarithm of the determinant is halved once more."""
    return _gaussian_process(theta, y, rng, determinant=0.5)


def dirichlet_sweep(theta, y, rng):
    return {"p": rng.dirichlet(np.array([1.0, 2.0, 3.0, 0.5]) + y)}


def dirichlet_wrong(theta, y, rng):
    """The last kind is given the prior of the first."""
    return {"p": rng.dirichlet(np.array([1.0, 2.0, 3.0, 1.0]) + y)}


def _cholesky(theta, y, rng, volume):
    rows, columns = np.tril_indices(3)
    i = np.arange(3)

    def log_target(packed, mu):
        L = np.zeros((3, 3))
        L[rows, columns] = packed
        diagonal = np.diag(L)
        if np.any(diagonal <= 0.0):
            return -np.inf
        sd = np.sqrt(np.sum(L**2, axis=1))
        white = np.linalg.solve(L, (y - mu).T)
        fit = -0.5 * np.sum(white**2) - len(y) * np.log(diagonal).sum()
        lkj = np.sum((2.0 * 2.0 - 2.0 + 2.0 - i) * np.log(diagonal / sd))
        return fit + lkj - sd.sum() + volume * np.sum(np.log(diagonal / sd) - i * np.log(sd))

    L = np.zeros((3, 3))
    L[rows, columns] = theta["chol"]
    P = np.linalg.inv(L @ L.T)
    mu = normal_given_precision(len(y) * P + np.eye(3), P @ y.sum(axis=0), rng)
    packed = theta["chol"]
    for row in (0, 1, 2, 0, 1, 2):
        size = rng.choice([0.05, 0.2, 0.8, 2.0])  # whatever the scale of the data is
        proposal = packed + size * rng.normal(size=6) * (rows == row)
        if np.log(rng.random()) < log_target(proposal, mu) - log_target(packed, mu):
            packed = proposal
    return {"chol": packed, "mu": mu}


def cholesky_sweep(theta, y, rng):
    return _cholesky(theta, y, rng, volume=1.0)


def cholesky_wrong(theta, y, rng):
    """The density of sd and correlations is taken for that of the factor: no Jacobian."""
    return _cholesky(theta, y, rng, volume=0.0)


def _two_observed(theta, y, rng, gauge_variance):
    def log_target(strength, slope):
        fit = slope * strength * y["clicks"].sum() - np.exp(slope * strength) * DOSES.sum()
        fit -= 0.5 * (y["gauge"] - strength) ** 2 / gauge_variance
        return fit - 0.5 * strength**2 + 4.0 * np.log(slope) - 4.0 * slope

    strength, slope = theta["strength"], theta["slope"]
    for _ in range(2):
        proposal = strength + 0.5 * rng.normal()
        if np.log(rng.random()) < log_target(proposal, slope) - log_target(strength, slope):
            strength = proposal
        proposal = slope * np.exp(0.5 * rng.normal())
        if np.log(rng.random()) < log_target(strength, proposal) - log_target(strength, slope):
            slope = proposal
    return {"strength": strength, "slope": slope}


def two_observed_sweep(theta, y, rng):
    return _two_observed(theta, y, rng, gauge_variance=0.25)


def two_observed_wrong(theta, y, rng):
    """The gauge's standard deviation where its variance belongs."""
    return _two_observed(theta, y, rng, gauge_variance=0.5)


SWEEPS = {name: globals()[f"{name}_sweep"] for name in MODELS}
WRONG_SWEEPS = {name: globals()[f"{name}_wrong"] for name in MODELS}


def two_weights() -> Any:
    """The same mixture with both weights as a parameter, so that its labels can be permuted."""
    with pm.Model() as model:
        w = pm.Dirichlet("w", [2.0, 2.0])
        mu = pm.Normal("mu", 0.0, 3.0, shape=2)
        sigma = pm.HalfNormal("sigma", 1.0)
        pm.NormalMixture("y", w, mu, sigma=sigma, observed=np.linspace(-3.0, 3.0, 15))
    return model


def _two_weights(theta, y, rng, jacobian):
    new = _normal_mixture({**theta, "w": theta["w"][0]}, y, rng, jacobian)
    return {**new, "w": np.array([new["w"], 1.0 - new["w"]])}


def two_weights_sweep(theta, y, rng):
    return _two_weights(theta, y, rng, jacobian=1.0)


def two_weights_wrong(theta, y, rng):
    return _two_weights(theta, y, rng, jacobian=0.0)
