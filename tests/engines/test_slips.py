"""Classic slips of parameterisation, planted in every language: each stops before a draw."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

import pytest

from gmmcompare.engines import jags, numpyro, stan
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.jags import JagsEngine
from gmmcompare.engines.numpyro import NumpyroEngine
from gmmcompare.engines.stan import StanEngine
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError

PROBLEM = Problem(
    Sample.of([0.4, -1.1, 0.4, 2.0, -0.7, 0.4, 3.1]),
    2,
    Priors([0.7, 2.0], [-1.0, 0.5], [0.8, 2.5], [3.0, 2.5], [1.3, 0.4]),
)
W, MU, SIGMA = "the prior of w", "the prior of mu", "the prior of sigma**2"
LIKELIHOOD = "the likelihood"
TERMS = {
    "concentration halved": W,
    "variance for sd": MU,
    "rate for scale": SIGMA,
    "sd for variance": SIGMA,
    "precision for sd": LIKELIHOOD,
}
"""Which term each slip changes."""
JAGS = {
    "concentration halved": ("ddirch(weight_concentration)", "ddirch(weight_concentration / 2)"),
    "variance for sd": ("pow(mean_sd[k], -2)", "1 / mean_sd[k]"),
    "rate for scale": ("var_scale[k])", "1 / var_scale[k])"),
    "sd for variance": (
        "tau[k] ~ dgamma(var_shape[k], var_scale[k])",
        "root[k] ~ dgamma(var_shape[k], var_scale[k])\n    tau[k] <- pow(root[k], 2)",
    ),
    "precision for sd": ("tau[z[i]])", "pow(tau[z[i]], -0.5))"),
}
NUMPYRO = {
    "concentration halved": (
        'inputs["weight_concentration"]',
        '0.5 * inputs["weight_concentration"]',
    ),
    "variance for sd": ('inputs["mean_sd"]', 'inputs["mean_sd"] ** 2'),
    "rate for scale": ('inputs["var_scale"]', '1.0 / inputs["var_scale"]'),
    "sd for variance": (
        'dist.InverseGamma(inputs["var_shape"], inputs["var_scale"])',
        'dist.TransformedDistribution(dist.InverseGamma(inputs["var_shape"], inputs["var_scale"]), '
        "dist.transforms.PowerTransform(2.0))",
    ),
    "precision for sd": ("jnp.sqrt(sigma_sq)", "1.0 / sigma_sq"),
}
PYMC = {
    "concentration halved": ("c = prior[", "c = 0.5 * prior["),
    "variance for sd": ('prior["mean_sd"], **how', 'prior["mean_sd"] ** 2, **how'),
    "rate for scale": (
        'prior["var_shape"], prior["var_scale"]\n    if',
        'prior["var_shape"], 1.0 / prior["var_scale"]\n    if',
    ),
    "precision for sd": (
        "_log_likelihood(w, mu, sigma_sq,",
        "_log_likelihood(w, mu, 1.0 / sigma_sq,",
    ),
}
STAN = {
    "concentration halved": (
        "w ~ dirichlet(weight_concentration);",
        "w ~ dirichlet(0.5 * weight_concentration);",
    ),
    "variance for sd": (
        "mu ~ normal(mean_loc, mean_sd);",
        "mu ~ normal(mean_loc, square(mean_sd));",
    ),
    "rate for scale": (
        "sigma_sq ~ inv_gamma(var_shape, var_scale);",
        "sigma_sq ~ inv_gamma(var_shape, inv(var_scale));",
    ),
    "sd for variance": (
        "sigma_sq ~ inv_gamma(var_shape, var_scale);",
        "sigma ~ inv_gamma(var_shape, var_scale);",
    ),
    "precision for sd": (
        "log_density = log_sum_exp(log_density, "
        "log(w[k]) - log(sigma[k]) - 0.5 * square(deviation));",
        "log_density = log_sum_exp(log_density, log(w[k]) + log(sigma_sq[k]) "
        "- 0.5 * square((y - mu[k]) * sigma_sq[k]));",
    ),
}


def replaced(text: str, slip: tuple[str, str]) -> str:
    old, new = slip
    assert text.count(old) == 1
    return text.replace(old, new)


def never(*_: object, **__: object) -> None:
    raise AssertionError("it has begun to draw")


@pytest.mark.parametrize("slip", JAGS)
@pytest.mark.slow
def test_jags(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyjags", reason="pip install 'gmmcompare[jags]'")
    right = jags.model_text
    monkeypatch.setattr(jags, "model_text", lambda K: replaced(right(K), JAGS[slip]))
    monkeypatch.setattr(jags, "starting_points", never)
    with pytest.raises(EngineError, match=rf"what is off is {words(slip)};"):
        JagsEngine().run(PROBLEM, 1, no_progress)


@pytest.mark.parametrize("slip", NUMPYRO)
@pytest.mark.slow
def test_numpyro(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpyro", reason="pip install 'gmmcompare[numpyro]'")
    wrong = rewritten(numpyro, numpyro.mixture, NUMPYRO[slip])
    monkeypatch.setattr(numpyro, "mixture", wrong)
    monkeypatch.setattr(numpyro, "starting_points", never)
    with pytest.raises(EngineError, match=rf"what is off is {words(slip)};"):
        NumpyroEngine().run(PROBLEM, 1, no_progress)


@pytest.mark.parametrize("slip", PYMC)
@pytest.mark.slow
def test_pymc(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmmcompare.engines.nuts import engine as nuts
    from gmmcompare.engines.nuts import model

    namespace = {"__name__": model.__name__}
    exec(replaced(inspect.getsource(model), PYMC[slip]), namespace)
    wrong = namespace["build_model"]
    monkeypatch.setattr(nuts, "build_model", wrong)
    monkeypatch.setattr(nuts, "starting_points", never)
    with pytest.raises(EngineError, match=rf"what is off is {words(slip)};"):
        nuts.NutsEngine(NutsSettings(nuts_sampler="pymc")).run(PROBLEM, 1, no_progress)


@pytest.fixture(scope="module")
def stan_with_slips() -> str:
    """Return the program with every slip in it; which one is made, if any, is in the data block.

    One program, since the compiler takes a minute for each.
    """
    pytest.importorskip("httpstan", reason="pip install 'gmmcompare[stan]'")
    program = stan.PROGRAM.replace("int<lower=1> K;", "int<lower=1> K;\n  int slip;", 1)
    lines: dict[str, str] = {}
    for number, (old, new) in enumerate(STAN.values(), start=1):
        assert stan.PROGRAM.count(old) == 1
        lines[old] = f"if (slip == {number}) {{ {new} }} else {{ {lines.get(old, old)} }}"
    for old, line in lines.items():
        program = program.replace(old, line)
    return program


@pytest.mark.parametrize("slip", [*STAN, None])
@pytest.mark.slow
def test_stan(slip: str | None, stan_with_slips: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, number = stan.data_block, [*STAN].index(slip) + 1 if slip else 0
    monkeypatch.setattr(stan, "data_block", lambda p: {**right(p), "slip": number})
    monkeypatch.setattr(stan, "PROGRAM", stan_with_slips)
    monkeypatch.setattr(stan, "starting_points", never)
    if slip is None:
        with pytest.raises(AssertionError, match="it has begun to draw"):
            StanEngine().run(PROBLEM, 1, no_progress)
        return
    with pytest.raises(EngineError, match=rf"what is off is {words(slip)};"):
        StanEngine().run(PROBLEM, 1, no_progress)


def words(slip: str) -> str:
    return TERMS[slip].replace("*", r"\*")


def rewritten(
    module: ModuleType, function: Callable[..., object], slip: tuple[str, str]
) -> Callable[..., object]:
    """Return a function of a module with a slip in its source."""
    namespace = dict(vars(module))
    exec(replaced(inspect.getsource(function), slip), namespace)
    made: Callable[..., object] = namespace[function.__name__]
    return made
