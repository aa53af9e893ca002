"""The notebook of session 3, in cells."""

# %% [markdown]
# # EM, its trap, and EM over Gibbs
#
# Instead of drawing z, take its expectation: the responsibilities. Instead of drawing parameters,
# take weighted averages.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.model import mixture

sample = gc.load_sample("exoplanets-simulated", "pl_radj", transform="log10")
y = sample.y


def em_step(at):
    """Make one E-step and one M-step."""
    r = mixture.responsibilities(y, at)
    n_k = r.sum(axis=0)
    mu = (r * y[:, None]).sum(axis=0) / n_k
    variance = (r * (y[:, None] - mu) ** 2).sum(axis=0) / n_k
    return gc.Params(n_k / y.size, mu, np.sqrt(variance))


def climb(at, steps):
    """Return the log-likelihood after each step, and where it ends."""
    heights = []
    for _ in range(steps):
        heights.append(float(mixture.log_likelihood(sample, at)))
        at = em_step(at)
    return heights, at


# %% [markdown]
# It never falls.
# %%
third = np.full(3, 1 / 3)
start = gc.Params(third, sample.quantiles([0.1, 0.5, 0.9]), np.full(3, sample.sd))
heights, end = climb(start, 60)
assert np.all(np.diff(heights) > -1e-6)
plt.plot(heights)
print(end)

# %% [markdown]
# **The trap.** Let all means be equal, as a lecture may begin. Then all responsibilities are
# equal, for ever.
# %%
same = gc.Params(third, np.full(3, 0.0), np.full(3, 2.0))
stuck, end = climb(same, 60)
plt.plot(heights, label="means apart")
plt.plot(stuck, label="means equal")
plt.legend()
print(end)

# %% [markdown]
# The engine says so, if it is asked to start there; Gibbs from the same place gets away. Why?
# %%
trapped = gc.fit(sample, "em", components=3, start="lecture", starts=1)
print(trapped.status, trapped.notes)
gibbs = gc.fit(sample, "gibbs", components=3, start="lecture", draws=2000, warmup=1000)
em = gc.fit(sample, "em", components=3)

# %% [markdown]
# **EM over Gibbs.** A point over a cloud: the point does not say how large the cloud is.
# %%
comparison = gc.compare([em, gibbs])
gc.plot(comparison, engines=["gibbs", "em"])

# %%
comparison

# %% [markdown]
# Where its starts ended.
# %%
gc.plot(comparison, "em-starts")
