"""A model of the user's, its correct kernel and wrong ones: what tests of any model share."""

from __future__ import annotations

from typing import Any

import numpy as np

X = np.column_stack([np.ones(12), np.linspace(-1.0, 1.0, 12)])


class Regression:
    """beta ~ N(0, 2^2), s2 ~ InverseGamma(3, 2), y ~ N(X beta, s2)."""

    parameters = {"beta": (2,), "s2": ()}  # noqa: RUF012

    def draw_prior(self, n: int, rng: np.random.Generator) -> dict[str, Any]:
        return {"beta": rng.normal(0.0, 2.0, (n, 2)), "s2": 2.0 / rng.gamma(3.0, size=n)}

    def draw_data(self, theta: dict[str, Any], rng: np.random.Generator) -> Any:
        return rng.normal(theta["beta"] @ X.T, np.sqrt(theta["s2"])[:, None])

    def log_prior(self, theta: dict[str, Any]) -> Any:
        s2 = theta["s2"]
        with np.errstate(all="ignore"):
            found = -(theta["beta"] ** 2).sum(axis=1) / 8.0 - 4.0 * np.log(s2) - 2.0 / s2
        return np.where(s2 > 0, found, -np.inf)

    def log_likelihood(self, theta: dict[str, Any], y: Any) -> Any:
        squares = ((y - theta["beta"] @ X.T) ** 2).sum(axis=1)
        with np.errstate(all="ignore"):
            return -0.5 * squares / theta["s2"] - 0.5 * len(X) * np.log(theta["s2"])


class OtherPrior(Regression):
    """Its log prior has half the variance of what it draws."""

    def log_prior(self, theta: dict[str, Any]) -> Any:
        return super().log_prior(theta) - (theta["beta"] ** 2).sum(axis=1) / 8.0


class OtherData(Regression):
    """Its log-likelihood forgets the determinant."""

    def log_likelihood(self, theta: dict[str, Any], y: Any) -> Any:
        return -0.5 * ((y - theta["beta"] @ X.T) ** 2).sum(axis=1) / theta["s2"]


class NoDensities:
    """Draws alone."""

    parameters = Regression.parameters
    draw_prior = Regression.draw_prior
    draw_data = Regression.draw_data


model = Regression()


def beta_given(s2: Any, y: Any, rng: np.random.Generator) -> Any:
    precision = X.T @ X / s2 + np.eye(2) / 4.0
    mean = np.linalg.solve(precision, X.T @ y / s2)
    root = np.linalg.cholesky(precision)
    return mean + np.linalg.solve(root.T, rng.normal(size=2))


def sweep(theta: dict[str, Any], y: Any, rng: np.random.Generator) -> dict[str, Any]:
    """A correct Gibbs sweep."""
    beta = beta_given(theta["s2"], y, rng)
    rate = 2.0 + ((y - X @ beta) ** 2).sum() / 2.0
    s2 = rate / rng.gamma(3.0 + len(y) / 2.0)
    return {"beta": beta, "s2": s2}


def squares_not_halved(theta, y, rng):  # type: ignore[no-untyped-def]
    beta = beta_given(theta["s2"], y, rng)
    return {"beta": beta, "s2": (2.0 + ((y - X @ beta) ** 2).sum()) / rng.gamma(9.0)}


def prior_of_beta_dropped(theta, y, rng):  # type: ignore[no-untyped-def]
    mean, *_ = np.linalg.lstsq(X, y, rcond=None)
    root = np.linalg.cholesky(X.T @ X / theta["s2"])
    new = sweep(theta, y, rng)
    return {**new, "beta": mean + np.linalg.solve(root.T, rng.normal(size=2))}


def no_covariance(theta, y, rng):  # type: ignore[no-untyped-def]
    precision = X.T @ X / theta["s2"] + np.eye(2) / 4.0
    mean = np.linalg.solve(precision, X.T @ y / theta["s2"])
    beta = mean + rng.normal(size=2) / np.sqrt(np.diag(precision)) * 0.8
    return {**sweep(theta, y, rng), "beta": beta}


def prior_alone(theta, y, rng):  # type: ignore[no-untyped-def]
    return {"beta": rng.normal(0.0, 2.0, 2) + 1e-9 * y[0], "s2": 2.0 / rng.gamma(3.0)}


def wrong_name(theta, y, rng):  # type: ignore[no-untyped-def]
    return {"betas": theta["beta"], "s2": theta["s2"]}


def wrong_shape(theta, y, rng):  # type: ignore[no-untyped-def]
    return {"beta": theta["beta"], "s2": np.array([theta["s2"]])}


def no_dict(theta, y, rng):  # type: ignore[no-untyped-def]
    return theta["beta"], theta["s2"]


def not_a_number(theta, y, rng):  # type: ignore[no-untyped-def]
    return {"beta": theta["beta"] + rng.normal(), "s2": np.sqrt(-1.0 - theta["s2"])}


def in_place(theta, y, rng):  # type: ignore[no-untyped-def]
    theta["beta"] += rng.normal(size=2)
    return theta


def changes_data(theta, y, rng):  # type: ignore[no-untyped-def]
    new = sweep(theta, y, rng)
    y -= y.mean()
    return new


def no_data(theta, y, rng):  # type: ignore[no-untyped-def]
    return {"beta": rng.normal(0.0, 2.0, 2), "s2": 2.0 / rng.gamma(3.0)}


def other_stream(theta, y, rng):  # type: ignore[no-untyped-def]
    return sweep(theta, y, np.random.default_rng(np.random.randint(2**31)))  # noqa: NPY002


def half(theta, y, rng):  # type: ignore[no-untyped-def]
    """A step of beta alone."""
    return {"beta": beta_given(theta["s2"], y, rng), "s2": theta["s2"]}


def runs(y, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
    """A correct whole sampler."""
    return _runs(sweep, y, draws, warmup, chains, rng)


def wrong_runs(y, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
    return _runs(squares_not_halved, y, draws, warmup, chains, rng)


def _runs(kernel, y, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
    out = {"beta": np.empty((chains, draws, 2)), "s2": np.empty((chains, draws))}
    for chain in range(chains):
        theta = {"beta": rng.normal(size=2), "s2": 1.0}
        for draw in range(-warmup, draws):
            theta = kernel(theta, y, rng)
            if draw >= 0:
                for name, kept in out.items():
                    kept[chain, draw] = theta[name]
    return out


class TwoPlaces:
    """A sign and a magnitude of which the data tell the magnitude only."""

    parameters = {"a": ()}  # noqa: RUF012

    def draw_prior(self, n: int, rng: np.random.Generator) -> dict[str, Any]:
        return {"a": rng.choice([-1.0, 1.0], n) * rng.gamma(9.0, 0.5, n)}

    def draw_data(self, theta: dict[str, Any], rng: np.random.Generator) -> Any:
        return rng.normal(np.abs(theta["a"])[:, None], 1.0, (len(theta["a"]), 3))

    def log_prior(self, theta: dict[str, Any]) -> Any:
        a = np.abs(theta["a"])
        with np.errstate(all="ignore"):
            return 8.0 * np.log(a) - a / 0.5

    def log_likelihood(self, theta: dict[str, Any], y: Any) -> Any:
        return -0.5 * ((y - np.abs(theta["a"])[:, None]) ** 2).sum(axis=1)


def stays_in_its_place(theta, y, rng):  # type: ignore[no-untyped-def]
    """Metropolis of the magnitude: it leaves the posterior invariant, and the sign as it was."""
    places = TwoPlaces()
    new = {"a": theta["a"] + rng.normal(0.0, 0.7)}
    if new["a"] * theta["a"] <= 0.0:
        return dict(theta)
    at, to = (
        float(places.log_prior({"a": np.array([t["a"]])})[0])
        + float(places.log_likelihood({"a": np.array([t["a"]])}, y[None])[0])
        for t in (theta, new)
    )
    return new if np.log(rng.random()) < to - at else dict(theta)


def changes_place(theta, y, rng):  # type: ignore[no-untyped-def]
    moved = stays_in_its_place(theta, y, rng)
    return {"a": moved["a"] * rng.choice([-1.0, 1.0])}
