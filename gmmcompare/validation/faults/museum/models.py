"""The small models of the museum: each as small as its bug allows.

Each is a `gmmcompare.Model`: points are dicts of arrays with one leading axis, and so are data
sets. What a kernel needs at a single point, such as a gradient, is a method beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from gmmcompare.model.params import Array
from gmmcompare.model.points import Points


def normal(x: Array, mean: Array | float, sd: Array | float) -> Array:
    """Return the log density of a normal distribution without its constant.

    Parameters
    ----------
    x, mean, sd : ndarray or float
        Of shapes that broadcast.
    """
    return np.asarray(-0.5 * ((x - mean) / sd) ** 2 - np.log(sd))


class Plane:
    """Two numbers, each observed once with noise: x ~ Normal(0, 1), y ~ Normal(x, 1.5)."""

    parameters: Mapping[str, tuple[int, ...]] = {"x": (2,)}
    noise = 1.5

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"x": rng.normal(size=(n, *self.parameters["x"]))}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw a data set for each, (n, 2)."""
        return rng.normal(theta["x"], self.noise)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        return normal(theta["x"], 0.0, 1.0).sum(axis=1)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y, theta["x"], self.noise).sum(axis=1)

    def log_density(self, x: Array, y: Array) -> float:
        """Return the log posterior density at one point, up to a constant."""
        from_data = (y - x) / self.noise
        return float(-0.5 * (x @ x + from_data @ from_data))

    def gradient(self, x: Array, y: Array) -> Array:
        """Return its gradient, (2,)."""
        return np.asarray((y - x) / self.noise**2 - x)


class Space(Plane):
    """The same with five numbers, in which small errors of every scale add up."""

    parameters: Mapping[str, tuple[int, ...]] = {"x": (5,)}


class Coin:
    """Ten tosses of one coin: p ~ Beta(2, 2), y ~ Bernoulli(p)."""

    parameters: Mapping[str, tuple[int, ...]] = {"p": ()}
    tosses = 10

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"p": rng.beta(2.0, 2.0, size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw ten tosses for each, (n, 10)."""
        heads = rng.random((len(theta["p"]), self.tosses)) < theta["p"][:, None]
        return heads.astype(float)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        from scipy import stats  # half a second, which a child process does not have

        return np.asarray(stats.beta.logpdf(theta["p"], 2.0, 2.0))

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,); -inf where p is no probability or y no toss."""
        p, heads = theta["p"], y.sum(axis=1)
        with np.errstate(all="ignore"):
            found = xlogy(heads, p) + xlogy(self.tosses - heads, 1.0 - p)
        tosses = ((y == 0) | (y == 1)).all(axis=1)
        return np.where((p >= 0) & (p <= 1) & tosses, found, -np.inf)

    def log_density(self, p: float, y: Array) -> float:
        """Return the log posterior density at one point, up to a constant."""
        heads = float(y.sum())
        return float(xlogy(1.0 + heads, p) + xlogy(1.0 + self.tosses - heads, 1.0 - p))


class Rate:
    """Five counts with one rate: rate ~ Gamma(2, 1), y ~ Poisson(rate)."""

    parameters: Mapping[str, tuple[int, ...]] = {"rate": ()}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"rate": rng.gamma(2.0, size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw five counts for each, (n, 5)."""
        return rng.poisson(theta["rate"][:, None], size=(len(theta["rate"]), 5))

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        from scipy import stats

        return np.asarray(stats.gamma.logpdf(theta["rate"], 2.0))

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        rate = theta["rate"][:, None]
        with np.errstate(all="ignore"):
            found = (xlogy(y, rate) - rate - gammaln(y + 1.0)).sum(axis=1)
        return np.where(rate[:, 0] > 0, found, -np.inf)

    def log_density(self, rate: float, y: Array) -> float:
        """Return the log posterior density at one positive rate, up to a constant."""
        return float((1.0 + y.sum()) * np.log(rate) - (1.0 + len(y)) * rate)


class Spread:
    """Five observations: loc ~ Normal(0, 1), scale ~ Gamma(3, 1/2), y ~ Normal(loc, scale)."""

    parameters: Mapping[str, tuple[int, ...]] = {"loc": (), "scale": ()}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"loc": rng.normal(size=n), "scale": rng.gamma(3.0, 0.5, size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw five observations for each, (n, 5)."""
        n = len(theta["loc"])
        return rng.normal(theta["loc"][:, None], theta["scale"][:, None], size=(n, 5))

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        from scipy import stats

        loc = normal(theta["loc"], 0.0, 1.0)
        return np.asarray(loc + stats.gamma.logpdf(theta["scale"], 3.0, scale=0.5))

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        loc, scale = theta["loc"][:, None], theta["scale"][:, None]
        with np.errstate(all="ignore"):
            found = normal(y, loc, scale).sum(axis=1)
        return np.where(scale[:, 0] > 0, found, -np.inf)

    def log_density(self, loc: float, scale: float, y: Array) -> float:
        """Return the log posterior density at one point, up to a constant.

        Parameters
        ----------
        loc, scale : float
            The density is that of these two.
        y : ndarray, shape (5,)
        """
        squares = float(((y - loc) ** 2).sum())
        prior = -0.5 * loc**2 + 2.0 * np.log(scale) - 2.0 * scale
        return float(prior - len(y) * np.log(scale) - 0.5 * squares / scale**2)


class Box:
    """Two rates in a box, each measured once: k ~ Uniform(0, 1), y ~ Normal(k, 1/2)."""

    parameters: Mapping[str, tuple[int, ...]] = {"k": (2,)}
    noise = 0.5

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"k": rng.random((n, 2))}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw a data set for each, (n, 2)."""
        return rng.normal(theta["k"], self.noise)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        inside = ((theta["k"] >= 0) & (theta["k"] <= 1)).all(axis=1)
        return np.where(inside, 0.0, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y, theta["k"], self.noise).sum(axis=1)

    def log_density(self, k: Array, y: Array) -> float:
        """Return the log posterior density at a point in the box, up to a constant."""
        return float(-0.5 * (((y - k) / self.noise) ** 2).sum())


class Location:
    """One number with a wide prior, seen twice: x ~ Student t(4), y ~ Normal(x, 1)."""

    parameters: Mapping[str, tuple[int, ...]] = {"x": ()}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"x": rng.standard_t(4.0, size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw two observations for each, (n, 2)."""
        return rng.normal(theta["x"][:, None], size=(len(theta["x"]), 2))

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        from scipy import stats

        return np.asarray(stats.t.logpdf(theta["x"], 4.0))

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y, theta["x"][:, None], 1.0).sum(axis=1)

    def log_density(self, x: float, y: Array) -> float:
        """Return the log posterior density at one point, up to a constant."""
        return float(-2.5 * np.log1p(x**2 / 4.0) - 0.5 * ((y - x) ** 2).sum())


class Square:
    """A number of which the square is seen: x ~ Uniform(-1, 1), y ~ Normal(x^2, 0.4)."""

    parameters: Mapping[str, tuple[int, ...]] = {"x": ()}
    end, noise = 1.0, 0.4

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"x": rng.uniform(-self.end, self.end, size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw one observation for each, (n, 1)."""
        return rng.normal(theta["x"] ** 2, self.noise)[:, None]

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        return np.where(np.abs(theta["x"]) <= self.end, 0.0, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y[:, 0], theta["x"] ** 2, self.noise)

    def log_density(self, x: float, y: Array) -> float:
        """Return the log posterior density at one point, up to a constant; it has two modes."""
        inside = abs(x) <= self.end
        return -0.5 * ((float(y[0]) - x**2) / self.noise) ** 2 if inside else -np.inf


class Curve:
    """A Gaussian process at four places, seen with noise: f ~ Normal(0, K), y ~ Normal(f, 0.7)."""

    parameters: Mapping[str, tuple[int, ...]] = {"f": (4,)}
    noise = 0.7
    places = np.linspace(0.0, 1.5, 4)

    def __init__(self) -> None:
        gap = self.places[:, None] - self.places
        covariance = np.exp(-0.5 * gap**2) + 1e-3 * np.eye(4)
        self.root: Array = np.linalg.cholesky(covariance)
        self._precision = np.linalg.inv(covariance)

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"f": rng.normal(size=(n, 4)) @ self.root.T}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw a data set for each, (n, 4)."""
        return rng.normal(theta["f"], self.noise)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        f = theta["f"]
        return np.asarray(-0.5 * np.einsum("ni,ij,nj->n", f, self._precision, f))

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y, theta["f"], self.noise).sum(axis=1)


class Cells:
    """A number from one of four cells: z ~ probs, x ~ Normal(locs[z], 1), y ~ Normal(x, 1)."""

    parameters: Mapping[str, tuple[int, ...]] = {"z": (), "x": ()}
    probs = np.array([0.15, 0.3, 0.3, 0.25])
    locs = np.array([-1.5, 0.0, 1.0, 2.5])

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        z = rng.choice(4, size=n, p=self.probs)
        return {"z": z, "x": rng.normal(self.locs[z])}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw one observation for each, (n, 1)."""
        return rng.normal(theta["x"])[:, None]

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,); -inf where z is no cell."""
        z, x = np.asarray(theta["z"]), theta["x"]
        inside = (z >= 0) & (z < 4)
        cell = np.where(inside, z, 0)
        found = np.log(self.probs[cell]) + normal(x, self.locs[cell], 1.0)
        return np.where(inside, found, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        return normal(y[:, 0], theta["x"], 1.0)


class HeavyTails:
    """Variances of three shocks: nu - 2 ~ Exponential(6), v ~ (nu - 2) / chi2(nu), y ~ N(0, v)."""

    parameters: Mapping[str, tuple[int, ...]] = {"nu": (), "v": (3,)}
    mean = 6.0

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        nu = 2.0 + rng.exponential(self.mean, size=n)
        return {"nu": nu, "v": ((nu - 2.0) / rng.chisquare(nu, size=(3, n))).T}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw three shocks for each, (n, 3)."""
        return rng.normal(0.0, np.sqrt(theta["v"]))

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        nu, v = theta["nu"][:, None], theta["v"]
        with np.errstate(all="ignore"):
            each = 0.5 * nu * np.log(0.5 * (nu - 2.0)) - gammaln(0.5 * nu)
            each = each - 0.5 * (nu + 2.0) * np.log(v) - 0.5 * (nu - 2.0) / v
            found = each.sum(axis=1) - (nu[:, 0] - 2.0) / self.mean
        return np.where((nu[:, 0] > 2) & (v > 0).all(axis=1), found, -np.inf)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, (n,)."""
        with np.errstate(all="ignore"):
            found = normal(y, 0.0, np.sqrt(theta["v"])).sum(axis=1)
        return np.where((theta["v"] > 0).all(axis=1), found, -np.inf)


class Volatility:
    """Four shocks about a mean, with an unknown log variance: y = mu + exp(h / 2) e.

    The log of e squared is a mixture of two normals, as Kim, Shephard and Chib (1998) have it of
    seven; mu ~ Normal(0, 1) and h ~ Normal(0, 1).
    """

    parameters: Mapping[str, tuple[int, ...]] = {"mu": (), "h": ()}
    N = 4
    weights = np.array([0.4, 0.6])
    means = np.array([-3.5, 0.2])
    sds = np.array([2.0, 0.6])

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points."""
        return {"mu": rng.normal(size=n), "h": rng.normal(size=n)}

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Array:
        """Draw four observations for each, (n, 4)."""
        shape = (len(theta["mu"]), self.N)
        s = rng.choice(2, size=shape, p=self.weights)
        size = np.exp(0.5 * (theta["h"][:, None] + rng.normal(self.means[s], self.sds[s])))
        return np.asarray(theta["mu"][:, None] + rng.choice([-1.0, 1.0], size=shape) * size)

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density, (n,)."""
        return normal(theta["mu"], 0.0, 1.0) + normal(theta["h"], 0.0, 1.0)

    def log_likelihood(self, theta: Points, y: Array) -> Array:
        """Return the log-likelihood, indicators summed out, (n,)."""
        squares = self.log_squares(theta["mu"][:, None], y)
        joint = self.log_joint(squares - theta["h"][:, None])
        # A density over y has the factor |d log (y - mu)^2 / dy| / 2.
        return np.asarray((np.logaddexp.reduce(joint, axis=-1) - 0.5 * squares).sum(axis=1))

    def log_squares(self, mu: Array | float, y: Array) -> Array:
        """Return log (y - mu)^2."""
        return np.asarray(np.log((y - mu) ** 2))

    def log_joint(self, log_square: Array) -> Array:
        """Return log weight + log density of log e^2 in either normal, (..., 2)."""
        return np.asarray(
            np.log(self.weights) + normal(log_square[..., None], self.means, self.sds)
        )
