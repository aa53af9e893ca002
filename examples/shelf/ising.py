"""A noisy picture of nine pixels with an Ising prior, pixel by pixel (Geman and Geman 1984).

A spin is -1 or 1; p(s) is proportional to exp(0.5 * sum of s_i s_j over neighbours); the
observation is y_i ~ Normal(s_i, 1.2).
"""

from itertools import product

import numpy as np

SIDE, COUPLING, NOISE = 3, 0.5, 1.2
PIXELS = SIDE * SIDE
PAIRS = [
    (i, j)
    for i in range(PIXELS)
    for j in range(i + 1, PIXELS)
    if (j == i + 1 and j % SIDE) or j == i + SIDE
]
NEIGHBOURS = [[a + b - i for a, b in PAIRS if i in (a, b)] for i in range(PIXELS)]
EVERY = np.array(list(product([-1, 1], repeat=PIXELS)))


def coupled(s):
    """Return the log prior probability of pictures (n, 9) without its constant."""
    return COUPLING * sum(s[:, i] * s[:, j] for i, j in PAIRS)


class Ising:
    """Nine spins."""

    parameters = {"s": (PIXELS,)}

    def draw_prior(self, n, rng):
        """Draw n pictures from all 512."""
        weight = np.exp(coupled(EVERY))
        return {"s": EVERY[rng.choice(len(EVERY), size=n, p=weight / weight.sum())]}

    def draw_data(self, theta, rng):
        """Draw a noisy picture for each, (n, 9)."""
        return rng.normal(theta["s"], NOISE)

    def log_prior(self, theta):
        """Return the log prior probability without its constant, (n,)."""
        s = np.asarray(theta["s"])
        return np.where((np.abs(s) == 1).all(axis=1), coupled(s), -np.inf)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        return -0.5 * (((y - theta["s"]) / NOISE) ** 2).sum(axis=1)

    def exact(self, y):
        """Return the posterior means of the spins, summed over all pictures."""
        log_prob = coupled(EVERY) + self.log_likelihood({"s": EVERY}, y[None])
        weight = np.exp(log_prob - log_prob.max())
        return {"s": weight @ EVERY / weight.sum()}


def sweep(theta, y, rng):
    """Draw each spin given its neighbours and its observation."""
    s = theta["s"].copy()
    for i in range(PIXELS):
        field = COUPLING * s[NEIGHBOURS[i]].sum() + y[i] / NOISE**2
        s[i] = 1 if rng.random() < 1.0 / (1.0 + np.exp(-2.0 * field)) else -1
    return {"s": s}
