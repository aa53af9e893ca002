import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pymc as pm
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from gmmcompare.model.from_pymc import PyMCModel
from gmmcompare.model.named import load_model
from gmmcompare.model.points import one_of, same
from gmmcompare.model.protocol import check_model
from gmmcompare.runtime.errors import InputError
from tests.pymc_models import (
    BINARY_X,
    DOSES,
    EIGHT_SIGMA,
    GP_X,
    MODELS,
    REGRESSION_X,
    YEARS,
)

ALPHA = 1e-8  # of each test of a distribution; there are some 60 of them

N = dict.fromkeys(MODELS, 2000) | {"cholesky": 400}  # PyMC draws these factors one by one

# Those whose gradients take a second or more to compile.
LONG = ("cholesky", "gaussian_process")
every_model = pytest.mark.parametrize(
    "name", [pytest.param(m, marks=pytest.mark.slow if m in LONG else ()) for m in MODELS]
)


@cache
def adapted(name):
    return PyMCModel(MODELS[name](), name)


@cache
def drawn(name, n=None):
    rng = np.random.default_rng(1)
    model = adapted(name)
    theta = model.draw_prior(n or N[name], rng)
    return theta, model.draw_data(theta, rng)


def lower_triangular(packed):
    L = np.zeros((3, 3))
    L[np.tril_indices(3)] = packed
    return L


def gp_covariance(t):
    d = GP_X[:, None] - GP_X
    K = t["eta"] ** 2 * np.exp(-0.5 * (d / t["length"]) ** 2)
    return K + (t["noise"] ** 2 + 1e-6) * np.eye(10)  # PyMC's jitter


def rates(t):
    return np.where(t["year"] > YEARS, t["early"], t["late"])


def logistic_p(t):
    return 1.0 / (1.0 + np.exp(-BINARY_X @ t["beta"]))


# The distributions of parameters, and of data given them, by SciPy, for one point.
PRIORS = {
    "regression": {"beta": stats.norm(0, 2), "sigma_sq": stats.invgamma(3, scale=2)},
    "eight_schools": {
        "mu": stats.norm(0, 5),
        "tau": stats.halfcauchy(scale=5),
        "z": stats.norm(),
    },
    "probit": {"beta": stats.norm(0, 1.5)},
    "logistic": {"beta": stats.norm()},
    "change_point": {
        "year": stats.randint(1, 30),
        "early": stats.gamma(2),
        "late": stats.gamma(2),
    },
    "normal_mixture": {
        "w": stats.beta(2, 2),
        "mu": stats.norm(0, 3),
        "sigma": stats.halfnorm(),
    },
    "gaussian_process": {
        "length": stats.invgamma(5, scale=2),
        "eta": stats.halfnorm(),
        "noise": stats.halfnorm(scale=0.5),
    },
    "two_observed": {"strength": stats.norm(), "slope": stats.gamma(4, scale=1 / 4)},
}
DATA = {
    "regression": lambda t: stats.norm(REGRESSION_X @ t["beta"], np.sqrt(t["sigma_sq"])),
    "eight_schools": lambda t: stats.norm(t["mu"] + t["tau"] * t["z"], EIGHT_SIGMA),
    "probit": lambda t: stats.bernoulli(stats.norm.cdf(BINARY_X @ t["beta"])),
    "logistic": lambda t: stats.binom(4, logistic_p(t)),
    "change_point": lambda t: stats.poisson(rates(t)),
    "gaussian_process": lambda t: stats.multivariate_normal(np.zeros(10), gp_covariance(t)),
    "dirichlet": lambda t: stats.multinomial(20, t["p"]),
    "cholesky": lambda t: stats.multivariate_normal(
        t["mu"], lower_triangular(t["chol"]) @ lower_triangular(t["chol"]).T
    ),
}


def log_density(distribution, value):
    kind = getattr(distribution, "logpdf", None) or distribution.logpmf
    try:
        return np.sum(kind(value))
    except AttributeError:
        return np.sum(distribution.logpmf(value))


def mixture_log_density(t, y):
    parts = stats.norm.logpdf(y[:, None], t["mu"], t["sigma"])
    return np.logaddexp.reduce(parts + np.log([t["w"], 1 - t["w"]]), axis=1).sum()


def two_log_density(t, y):
    clicks = stats.poisson(np.exp(t["slope"] * t["strength"]) * DOSES)
    return log_density(stats.norm(t["strength"], 0.5), y["gauge"]) + log_density(
        clicks, y["clicks"]
    )


def expected_log_likelihood(name, t, y):
    if name == "normal_mixture":
        return mixture_log_density(t, y)
    if name == "two_observed":
        return two_log_density(t, y)
    return log_density(DATA[name](t), y)


def uniform(distribution, value, rng):
    """Return the place of a value in its distribution; of a discrete one with a random part."""
    if hasattr(distribution.dist, "pmf"):
        below, at = distribution.cdf(value - 1), distribution.pmf(value)
        return below + rng.random(np.shape(value)) * at
    return distribution.cdf(value)


def assert_uniform_and_uncorrelated(columns):
    """Fail with probability ALPHA for each column, and ALPHA for all correlations together."""
    table = np.column_stack([np.asarray(c).reshape(len(c), -1) for c in columns])
    for column in table.T:
        assert stats.kstest(column, "uniform").pvalue > ALPHA
    pairs = np.corrcoef(table, rowvar=False)[np.triu_indices(table.shape[1], 1)]
    z = np.arctanh(pairs) * np.sqrt(len(table) - 3)
    assert np.abs(z).max(initial=0.0) < stats.norm.isf(ALPHA / 2 / max(len(pairs), 1))


@every_model
def test_is_a_model_of_points_with_the_users_names(name):
    model = check_model(adapted(name), name)
    assert list(model.parameters) == [rv.name for rv in MODELS[name]().free_RVs]
    theta, y = drawn(name)
    assert {k: v.shape[1:] for k, v in theta.items()} == model.parameters
    observed = model.observed
    parts = y.items() if isinstance(y, dict) else [(None, y)]
    for key, part in parts:
        assert part.shape == (N[name], *np.shape(observed[key] if key else observed))


def test_observed_data_are_those_that_the_model_was_given():
    assert np.array_equal(adapted("dirichlet").observed, [4, 7, 8, 1])
    two = adapted("two_observed").observed
    assert two["gauge"] == pytest.approx(0.3)
    assert np.array_equal(two["clicks"], [0, 1, 2, 2, 3, 6])


@pytest.mark.parametrize("name", PRIORS)
def test_prior_draws_follow_the_prior(name):
    theta, _ = drawn(name)
    rng = np.random.default_rng(2)
    assert_uniform_and_uncorrelated([uniform(PRIORS[name][k], theta[k], rng) for k in theta])


def test_a_dirichlet_is_drawn():
    p = drawn("dirichlet")[0]["p"]
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    for k, a in enumerate([1.0, 2.0, 3.0, 0.5]):
        assert stats.kstest(p[:, k], stats.beta(a, 6.5 - a).cdf).pvalue > ALPHA


def test_a_cholesky_factor_is_drawn():
    theta, y = drawn("cholesky")
    L = np.array([lower_triangular(packed) for packed in theta["chol"]])
    cov = L @ L.transpose(0, 2, 1)
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    r = np.stack([cov[:, i, j] / sd[:, i] / sd[:, j] for i, j in ((0, 1), (0, 2), (1, 2))], axis=1)
    # With eta = 2 in three dimensions (r + 1) / 2 is Beta(2.5, 2.5), and correlations of r are 0.
    assert_uniform_and_uncorrelated(
        [
            stats.expon.cdf(sd),
            stats.beta(2.5, 2.5).cdf((r + 1) / 2),
            stats.norm.cdf(theta["mu"]),
            stats.norm.cdf(np.linalg.solve(L[:, None], (y - theta["mu"][:, None])[..., None])),
        ]
    )


@pytest.mark.parametrize(
    "name", ["regression", "eight_schools", "probit", "logistic", "change_point"]
)
def test_data_follow_their_distribution_given_the_point(name):
    theta, y = drawn(name)
    rng = np.random.default_rng(3)
    places = [uniform(DATA[name](one_of(theta, i)), y[i], rng) for i in range(400)]
    assert_uniform_and_uncorrelated([np.array(places)])


def test_data_of_a_mixture_follow_it():
    theta, y = drawn("normal_mixture")
    w, mu, sigma = (theta[k][:, None] for k in ("w", "mu", "sigma"))
    below = stats.norm.cdf(y[..., None], mu, sigma[..., None])
    assert_uniform_and_uncorrelated([w * below[..., 0] + (1 - w) * below[..., 1]])


def test_data_of_a_gaussian_process_have_its_covariance():
    theta, y = drawn("gaussian_process")
    points = [one_of(theta, i) for i in range(len(y))]
    white = [
        np.linalg.solve(np.linalg.cholesky(gp_covariance(t)), y_i)
        for t, y_i in zip(points, y, strict=True)
    ]
    assert_uniform_and_uncorrelated([stats.norm.cdf(white)])


def test_counts_of_a_multinomial_are_drawn():
    theta, y = drawn("dirichlet")
    assert np.array_equal(y.sum(axis=1), np.full(2000, 20))
    rng = np.random.default_rng(3)
    for k in range(4):
        place = uniform(stats.binom(20, theta["p"][:, k]), y[:, k], rng)
        assert stats.kstest(place, "uniform").pvalue > ALPHA


def test_two_observed_variables_are_drawn_given_the_same_point():
    theta, y = drawn("two_observed")
    rng = np.random.default_rng(3)
    rate = np.exp(theta["slope"] * theta["strength"])[:, None] * DOSES
    assert_uniform_and_uncorrelated(
        [
            stats.norm.cdf(y["gauge"], theta["strength"], 0.5),
            uniform(stats.poisson(rate), y["clicks"], rng),
        ]
    )


# PyMC rounds constants such as 2 pi to single precision, which moves a density by a constant.
SINGLE = {"rtol": 1e-7, "atol": 2e-6}


@pytest.mark.parametrize("name", PRIORS)
def test_log_prior_is_that_of_scipy(name):
    theta = {k: v[:20] for k, v in drawn(name)[0].items()}
    expected = [sum(log_density(PRIORS[name][k], theta[k][i]) for k in theta) for i in range(20)]
    np.testing.assert_allclose(adapted(name).log_prior(theta), expected, **SINGLE)


def test_log_prior_of_a_dirichlet_is_that_of_scipy():
    p = drawn("dirichlet")[0]["p"][:20]
    expected = [stats.dirichlet([1.0, 2.0, 3.0, 0.5]).logpdf(row / row.sum()) for row in p]
    np.testing.assert_allclose(adapted("dirichlet").log_prior({"p": p}), expected, **SINGLE)


@every_model
def test_log_likelihood_is_that_of_scipy(name):
    theta, y = drawn(name)
    found = adapted(name).log_likelihood(theta, y)[:20]
    expected = [expected_log_likelihood(name, one_of(theta, i), one_of(y, i)) for i in range(20)]
    np.testing.assert_allclose(found, expected, **SINGLE)


@every_model
def test_log_joint_is_that_of_pymc_without_transforms(name):
    model, theta = adapted(name), {k: v[:10] for k, v in drawn(name)[0].items()}
    plain = remove_value_transforms(MODELS[name]())
    values = [plain.rvs_to_values[plain[k]] for k in theta]
    function = pytensor.function(values, plain.logp(), mode="FAST_COMPILE")
    expected = [function(*(v[i] for v in theta.values())) for i in range(10)]
    y = model.observed
    repeated = (
        {k: np.stack([v] * 10) for k, v in y.items()} if isinstance(y, dict) else np.stack([y] * 10)
    )
    found = model.log_prior(theta) + model.log_likelihood(theta, repeated)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@every_model
def test_score_is_the_slope_of_the_log_joint(name):
    model = adapted(name)
    n = 4
    theta = {k: np.array(v[:n]) for k, v in drawn(name)[0].items()}
    y = drawn(name)[1]
    y = {k: v[:n] for k, v in y.items()} if isinstance(y, dict) else y[:n]

    def log_joint(t):
        return model.log_prior(t) + model.log_likelihood(t, y)

    score = model.score(theta, y)
    assert set(score) == {k for k, v in theta.items() if v.dtype.kind == "f"}
    for key, found in score.items():
        for index in np.ndindex(*found.shape[1:]):
            direction = np.zeros_like(found)
            direction[(slice(None), *index)] = 1.0
            if key == "p":  # along the simplex
                direction -= direction.mean(axis=1, keepdims=True)
            h = 1e-5 * np.abs(theta[key]).reshape(n, -1).min(axis=1)
            h = h.reshape(n, *(1,) * (found.ndim - 1))
            up, down = (log_joint(theta | {key: theta[key] + s * h * direction}) for s in (1, -1))
            slope = (up - down) / (2.0 * h.ravel())
            along = (found * direction).reshape(n, -1).sum(axis=1)
            scale = 1.0 + np.abs(log_joint(theta)) * 1e-10 / h.ravel()  # of rounding
            np.testing.assert_allclose(along, slope, rtol=1e-4, atol=1e-4 * scale.max())


@every_model
def test_the_same_state_gives_the_same_draws_and_the_next_gives_others(name):
    model = adapted(name)

    def both(rng):
        theta = model.draw_prior(5, rng)
        return theta, model.draw_data(theta, rng)

    rng = np.random.default_rng(4)
    first, again = both(rng), both(np.random.default_rng(4))
    assert same(first, again)
    later = both(rng)
    assert not any(same(first[0][k], later[0][k]) for k in first[0])


def test_outside_the_support_the_density_is_zero_and_others_keep_theirs():
    theta, y = drawn("regression", 3)
    model = adapted("regression")
    inside = model.log_prior(theta), model.log_likelihood(theta, y)
    outside = theta | {"sigma_sq": theta["sigma_sq"] * [1.0, -1.0, 1.0]}
    for f, kept in zip(
        (model.log_prior(outside), model.log_likelihood(outside, y)), inside, strict=True
    ):
        assert np.isneginf(f[1])
        assert np.array_equal(f[[0, 2]], kept[[0, 2]])
    assert all(np.isfinite(g).all() for g in model.score(outside, y).values())


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("eight_schools", "tau", -1.0),
        ("eight_schools", "tau", np.nan),
        ("change_point", "year", 0),
        ("change_point", "year", 2.5),
        ("change_point", "early", -1.0),
        ("normal_mixture", "w", 1.5),
        ("two_observed", "slope", -1.0),
        ("dirichlet", "p", [0.5, 0.6, -0.2, 0.1]),
        ("dirichlet", "p", [0.5, 0.6, 0.2, 0.1]),
        ("cholesky", "chol", [-1.0, 0.0, 1.0, 0.0, 0.0, 1.0]),
    ],
)
def test_log_prior_is_minus_infinity_outside_the_support(name, key, value):
    theta = {k: np.array(v[:3], dtype=float) for k, v in drawn(name)[0].items()}
    inside = adapted(name).log_prior(theta)
    theta[key][1] = value
    found = adapted(name).log_prior(theta)
    assert np.isneginf(found[1])
    assert np.array_equal(found[[0, 2]], inside[[0, 2]])


def test_a_parameter_that_pymc_refuses_makes_data_impossible():
    with pm.Model() as model:
        a = pm.HalfNormal("a", 1.0)
        pm.InverseGamma("y", a, 1.0, observed=[1.0, 2.0])
    theta, y = {"a": np.array([-0.5, 0.5])}, np.ones((2, 2))
    found = PyMCModel(model).log_likelihood(theta, y)
    assert np.isneginf(found[0])
    np.testing.assert_allclose(found[1], 2 * stats.invgamma(0.5).logpdf(1.0), **SINGLE)


def test_data_outside_the_support_are_impossible():
    theta, y = drawn("dirichlet", 2)
    assert np.isneginf(adapted("dirichlet").log_likelihood(theta, y + np.eye(1, 4))).all()


def test_data_or_points_of_another_shape_are_refused():
    theta, y = drawn("regression", 3)
    with pytest.raises(InputError, match=r"beta has shape \(3, 2\), expected \(3, 3\)"):
        adapted("regression").log_prior(theta | {"beta": theta["beta"][:, :2]})
    with pytest.raises(InputError, match=r"y has shape \(3, 19\), expected \(3, 20\)"):
        adapted("regression").log_likelihood(theta, y[:, :19])
    theta, y = drawn("two_observed", 3)
    with pytest.raises(InputError, match="mapping of gauge, clicks"):
        adapted("two_observed").log_likelihood(theta, {"gauge": y["gauge"]})


def test_a_pickled_model_draws_the_same():
    model = adapted("two_observed")
    drawn("two_observed", 3)  # compiled
    again = pickle.loads(pickle.dumps(model))
    assert again.parameters == model.parameters
    a, b = (m.draw_prior(3, np.random.default_rng(5)) for m in (model, again))
    assert same(a, b)


def test_the_users_model_is_left_as_it_was():
    with pm.Model() as theirs:
        mu = pm.Normal("mu")
        pm.NormalMixture("y", [0.5, 0.5], [mu, 1.0], sigma=1.0, observed=[1.0, 2.0])
    before = pytensor.dprint(theirs.basic_RVs, file="str")
    model = PyMCModel(theirs)
    theta = model.draw_prior(2, np.random.default_rng(1))
    y = model.draw_data(theta, np.random.default_rng(1))
    model.score(theta, y)
    assert pytensor.dprint(theirs.basic_RVs, file="str") == before


def _with(*lines):
    """Return the adapter of a model whose variables are made by the given functions."""
    with pm.Model() as model:
        for line in lines:
            line()
    return PyMCModel(model, "file.py:model")


def observed(**settings):
    return lambda: pm.Normal("y", 0.0, 1.0, **{"observed": np.zeros(3)} | settings)


def _missing():
    with pytest.warns(pm.exceptions.ImputationWarning):
        pm.Normal("y", pm.Normal("mu"), 1.0, observed=[1.0, np.nan, 2.0])


def _random_shape():
    size = pm.Poisson("size", 3.0) + 1
    pm.Normal("x", size=size)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([lambda: pm.Flat("a"), observed()], "a has an improper prior, pm.Flat; give it a proper"),
        ([lambda: pm.HalfFlat("b"), observed()], "b has an improper prior, pm.HalfFlat; give it"),
        (
            [lambda: pm.ICAR("c", W=np.array([[0, 1], [1, 0]])), observed()],
            "c has an improper prior, pm.ICAR; give it",
        ),
        ([lambda: pm.Normal("mu")], "has no observed variable; give the data to one"),
        ([observed()], "has no free random variable"),
        (
            [lambda: pm.Potential("ring", -(pm.Normal("mu") ** 2)), observed()],
            "ring is a pm.Potential, a term that is no distribution",
        ),
        ([_missing], "y has missing data; observe only what is there"),
        (
            [lambda: pm.Normal("mu"), observed(total_size=30)],
            "y stands for a part of the data",
        ),
        (
            [lambda: pm.CustomDist("d", logp=lambda v: -(v**2)), observed()],
            "d cannot be drawn from; give its distribution a function that draws",
        ),
        (
            [
                lambda: pm.CustomDist("e", random=lambda rng, size: rng.normal(size=size)),
                observed(),
            ],
            "e has no log density .*; write it by a distribution that has one",
        ),
        ([_random_shape, observed()], "x has a shape that depends on other variables; give it"),
        (
            [
                lambda: pm.Normal("mu", shape=2, transform=pm.distributions.transforms.ordered),
                observed(),
            ],
            "mu is ordered by a transform, which draws from its prior are not",
        ),
        (
            [lambda: pm.Normal("y", 0.0, pm.Normal("log_sd", -50.0, 1.0), observed=1.0)],
            "y cannot be drawn: ValueError: scale < 0.*; let its prior give allowed values",
        ),
    ],
)
def test_what_cannot_be_tested_is_refused_in_one_line(lines, said):
    with pytest.raises(InputError, match=rf"^file.py:model: {said}") as refused:
        _with(*lines)
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyMC by PyTensor
def test_a_simulator_is_refused():
    def simulator():
        pm.Simulator("s", lambda rng, mu, size: rng.normal(mu), pm.Normal("mu"), observed=1.0)

    with pytest.raises(InputError, match=r"s is a pm\.Simulator, whose log density is random"):
        _with(simulator)


def test_a_model_with_minibatches_is_refused():
    def minibatch():
        part = pm.Minibatch(np.zeros(10), batch_size=5)
        pm.Normal("y", pm.Normal("mu"), 1.0, observed=part, total_size=10)

    with pytest.raises(InputError, match="y stands for a part of the data"):
        _with(minibatch)


def test_a_model_is_found_in_a_file(tmp_path):
    file = tmp_path / "line.py"
    file.write_text(
        "import pymc as pm\n"
        "with pm.Model() as model:\n"
        "    mu = pm.Normal('mu')\n"
        "    pm.Normal('y', mu, 1.0, observed=[1.0, 2.0])\n"
        "def build():\n"
        "    return model\n"
        "with pm.Model() as flat:\n"
        "    pm.Normal('y', pm.Flat('mu'), 1.0, observed=[1.0, 2.0])\n"
    )
    for name in ("model", "build"):
        assert load_model(f"{file}:{name}").parameters == {"mu": ()}
    with pytest.raises(InputError, match=r"line.py:flat: mu has an improper prior"):
        load_model(f"{file}:flat")


def test_a_distribution_drawn_step_by_step_is_drawn_for_each_point():
    with pm.Model() as model:
        rho = pm.Uniform("rho", -1.0, 1.0)
        pm.AR("y", [rho], sigma=1.0, init_dist=pm.Normal.dist(0.0, 5.0), observed=np.zeros(4))
    adapter = check_model(PyMCModel(model), "ar")
    rng = np.random.default_rng(6)
    theta = adapter.draw_prior(800, rng)
    y = adapter.draw_data(theta, rng)
    steps = stats.norm.cdf(y[:, 1:] - theta["rho"][:, None] * y[:, :-1])
    assert_uniform_and_uncorrelated([stats.norm(0, 5).cdf(y[:, 0]), steps])
    expected = stats.norm(0, 5).logpdf(y[:, 0]) + stats.norm.logpdf(
        y[:, 1:], theta["rho"][:, None] * y[:, :-1]
    ).sum(axis=1)
    np.testing.assert_allclose(adapter.log_likelihood(theta, y), expected, **SINGLE)


def test_a_hierarchy_of_sizes_and_parts_is_drawn_independently_for_each_point():
    """Parameters that do not depend on the point, next to others that do."""
    with pm.Model() as model:
        scale = pm.HalfNormal("scale", 1.0)
        x = pm.Normal("x", 0.0, scale, size=3)
        pm.Mixture("y", [0.3, 0.7], [pm.Normal.dist(-9, 1), pm.Normal.dist(9, 1)], shape=2)
        pm.Censored("z", pm.Normal.dist(x, 1.0), lower=-1.0, upper=None, observed=np.zeros(3))
    model_of_points = PyMCModel(model)
    rng = np.random.default_rng(7)
    theta = model_of_points.draw_prior(1500, rng)
    z = model_of_points.draw_data(theta, rng)
    place = np.where(theta["y"] < 0, 0.3 * stats.norm.cdf(theta["y"], -9), 0)
    place = np.where(theta["y"] > 0, 0.3 + 0.7 * stats.norm.cdf(theta["y"], 9), place)
    below = stats.norm.cdf(-1.0, theta["x"])
    censored = z == -1.0
    of_z = np.where(censored, below * rng.random(z.shape), stats.norm.cdf(z, theta["x"]))
    standard = stats.norm.cdf(theta["x"] / theta["scale"][:, None])
    assert_uniform_and_uncorrelated([stats.halfnorm.cdf(theta["scale"]), standard, place, of_z])


def test_threads_may_share_a_model() -> None:
    """Mutants are validated in several threads: each gets the draws that it would get alone."""
    with pm.Model() as line:
        slope = pm.Normal("slope", 0, 2, shape=2)
        pm.Normal("y", slope.sum() * np.arange(5.0), 1, observed=np.zeros(5))
    model = PyMCModel(line)

    def drawn(seed: int) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [model.draw_prior(3 + seed % 2, rng)["slope"] for _ in range(100)]

    alone = [drawn(seed) for seed in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(drawn, range(4)))
    finally:
        sys.setswitchinterval(before)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))
