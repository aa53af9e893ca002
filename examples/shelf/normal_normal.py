"""A normal mean with a normal prior: mu ~ Normal(1, 2), y_i ~ Normal(mu, 1.5), i = 1..5."""

LOC, SD, NOISE, N = 1.0, 2.0, 1.5, 5


class NormalNormal:
    """The simplest of all models."""

    parameters = {"mu": ()}

    def draw_prior(self, n, rng):
        """Draw n points."""
        return {"mu": rng.normal(LOC, SD, size=n)}

    def draw_data(self, theta, rng):
        """Draw a data set for each point, (n, 5)."""
        return rng.normal(theta["mu"][:, None], NOISE, size=(len(theta["mu"]), N))

    def log_prior(self, theta):
        """Return the log prior density without its constant, (n,)."""
        return -0.5 * ((theta["mu"] - LOC) / SD) ** 2

    def log_likelihood(self, theta, y):
        """Return the log-likelihood without its constant, (n,)."""
        return -0.5 * (((y - theta["mu"][:, None]) / NOISE) ** 2).sum(axis=1)

    def exact(self, y):
        """Return the posterior mean: both means, weighted by their precisions."""
        return {"mu": conditional(y)[0]}


def conditional(y):
    """Return mean and sd of mu given y."""
    precision = SD**-2 + len(y) * NOISE**-2
    return (LOC * SD**-2 + y.sum() * NOISE**-2) / precision, precision**-0.5


def sweep(theta, y, rng):
    """Draw mu from its posterior, whatever it was."""
    return {"mu": rng.normal(*conditional(y))}
