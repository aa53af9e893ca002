"""Ten PyMC models of the kinds that people write, and for each a sampler, and one with a mistake.

`MODELS` maps names to functions without arguments that return a ``pm.Model``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

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
