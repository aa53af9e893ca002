"""A hidden Markov chain of two states, state by state, with known transitions and emissions.

z_1 ~ Uniform{0, 1}, z_t stays with probability 0.8; y_t ~ Normal(LOC[z_t], 1).
"""

from itertools import product

import numpy as np

T, STAY = 7, 0.8
LOC = np.array([-0.7, 0.7])


class HiddenMarkov:
    """The states of seven observations."""

    parameters = {"z": (T,)}

    def draw_prior(self, n, rng):
        """Draw n paths."""
        changes = rng.random((n, T)) > STAY
        changes[:, 0] = rng.random(n) < 0.5
        return {"z": np.cumsum(changes, axis=1) % 2}

    def draw_data(self, theta, rng):
        """Draw a data set for each path, (n, 7)."""
        return rng.normal(LOC[theta["z"]])

    def log_prior(self, theta):
        """Return the log prior probability, (n,); -inf where a state is none."""
        z = np.asarray(theta["z"])
        stays = (z[:, 1:] == z[:, :-1]).sum(axis=1)
        found = stays * np.log(STAY) + (T - 1 - stays) * np.log1p(-STAY)
        return np.where(((z == 0) | (z == 1)).all(axis=1), found, -np.inf)

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        z = np.clip(theta["z"], 0, 1)
        return -0.5 * ((y - LOC[z]) ** 2).sum(axis=1)

    def exact(self, y):
        """Return the posterior probabilities of state 1, summed over all paths."""
        z = np.array(list(product([0, 1], repeat=T)))
        log_prob = self.log_prior({"z": z}) + self.log_likelihood({"z": z}, y[None])
        weight = np.exp(log_prob - log_prob.max())
        return {"z": weight @ z / weight.sum()}


def sweep(theta, y, rng):
    """Draw each state given its neighbours and its observation."""
    z = theta["z"].copy()
    log_odds = 0.5 * (y - LOC[0]) ** 2 - 0.5 * (y - LOC[1]) ** 2
    towards = np.log(STAY / (1.0 - STAY))
    for t in range(T):
        neighbours = [z[s] for s in (t - 1, t + 1) if 0 <= s < T]
        odds = log_odds[t] + towards * sum(2 * s - 1 for s in neighbours)
        z[t] = rng.random() < 1.0 / (1.0 + np.exp(-odds))
    return {"z": z}
