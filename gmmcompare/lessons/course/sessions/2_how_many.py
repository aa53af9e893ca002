"""The notebook of session 2, in cells."""

# %% [markdown]
# # Any number of components: K = 2, 3, 4
#
# Nothing in the sweep was about two. Only z changes: one uniform, and cumulative sums.
# %%
import numpy as np

import gmmcompare as gc

sample = gc.load_sample("exoplanets-simulated", "pl_radj", transform="log10")


def draw_z(w, mu, sigma, y, rng):
    """Draw allocations for any K."""
    joint = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    below = np.cumsum(joint, axis=1)[:, :-1] / joint.sum(axis=1, keepdims=True)
    return (rng.random((y.size, 1)) > below).sum(axis=1)


rng = np.random.default_rng(1)
z = draw_z(np.full(3, 1 / 3), np.array([-1.0, 0.0, 1.0]), np.ones(3), sample.y, rng)
print(np.bincount(z))

# %% [markdown]
# K = 2, 3 and 4 on the same data, with EM beside Gibbs.
# %%
found = {}
for K in (2, 3, 4):
    em = gc.fit(sample, "em", components=K)
    gibbs = gc.fit(sample, "gibbs", components=K, draws=2000, warmup=1000)
    found[K] = gc.compare([em, gibbs])
found[3].table().round(3)

# %% [markdown]
# The plug-in densities over one another. Where do they differ?
# %%
gc.plot([found[2], found[3], found[4]], engines=["gibbs"])

# %% [markdown]
# K = 3 by itself, with its components.
# %%
gc.plot(found[3], engines=["gibbs"])

# %% [markdown]
# **Clusters**: to which component does each observation belong, and how sure are we?
# %%
gc.plot(found[3], "clustering")

# %%
gc.plot(found[4], "clustering")

# %% [markdown]
# **How many?** Criteria know only the best point. What do they say, and do they agree?
# %%
from gmmcompare.selection.information import information

for K, comparison in found.items():
    at_best = information(comparison.fits["em"])
    print(K, *(f"{name} {getattr(at_best, name):9.1f}" for name in ("aic", "bic", "icl")))
