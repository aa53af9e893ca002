"""The notebook of session 6, in cells."""

# %% [markdown]
# # Is your sampler correct?
#
# Here is a sampler with a mistake. Read it. Do you see it?
# %%
import numpy as np

import gmmcompare as gc


def sweep(w, mu, sigma, y, priors, rng):
    """Make one sweep, with a mistake."""
    p = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    below = np.cumsum(p, axis=1)[:, :-1] / p.sum(axis=1, keepdims=True)
    z = (rng.random((y.size, 1)) > below).sum(axis=1)
    n = np.bincount(z, minlength=w.size)
    w = rng.dirichlet(priors.weight_concentration + n)
    precision = n / sigma**2 + 1 / priors.mean_sd**2
    total = np.bincount(z, y, w.size) / sigma**2 + priors.mean_loc / priors.mean_sd**2
    mu = rng.normal(total / precision, precision**-0.5)
    scale = priors.var_scale + np.bincount(z, (y - mu[z]) ** 2, w.size) / 2
    return w, mu, np.sqrt(scale / rng.gamma(priors.var_shape + (n + 1) / 2))


# %% [markdown]
# Its draws look fine.
# %%
sample = gc.load_sample("galaxies", "velocity_1000km_s")
priors = gc.Priors(weight_concentration=5, mean_loc=20, mean_sd=10, var_shape=10, var_scale=10)
rng = np.random.default_rng(1)
state = np.full(3, 1 / 3), np.array([10.0, 20.0, 30.0]), np.ones(3)
draws = []
for _ in range(1000):
    state = sweep(*state, sample.y, priors, rng)
    draws.append(np.concatenate(state))
print(np.mean(draws[200:], axis=0).reshape(3, 3).round(2))

# %% [markdown]
# What does a test say?
# %%
found = gc.validate(sweep, quick=True)
print(found.verdict)
print(found.diagnosis)

# %% [markdown]
# How it works: draw parameters from the prior and data given them. A correct sweep leaves that
# pair as it is. So any function of it has the
# same mean before and after, and a difference is evidence. Here is the evidence as it came in.
# %%
gc.plot(found, "wealth")

# %% [markdown]
# Mend it, and ask again.
# %%
import inspect

mended = {"np": np}
source = inspect.getsource(sweep).replace("(n + 1) / 2", "n / 2")
exec(source, mended)
print(gc.validate(mended["sweep"], quick=True).verdict)
