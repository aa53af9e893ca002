"""The notebook of the lesson on Gibbs, in cells."""

# %% [markdown]
# # Gibbs wanders, and that is the point
#
# The galaxies again, four groups, from the start that EM cannot leave.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.engines.gibbs.plain import sweep
from gmmcompare.model import mixture

card = gc.load_card("galaxies-k4")
sample = gc.load_sample("galaxies", "velocity_1000km_s")
priors = card.build_priors()

# %% [markdown]
# One sweep draws z, then w, mu and sigma. `sweep` is the readable sampler, worth reading:
# `gmmcompare/engines/gibbs/plain.py`.
# %%
rng = np.random.default_rng(4)
at = gc.Params(np.full(4, 0.25), np.full(4, 20.0), np.full(4, 2.0))
heights = []
for _ in range(250):
    heights.append(float(mixture.log_likelihood(sample, at)))
    at = sweep(*at, sample.y, priors, rng)
plt.plot(heights)
plt.xlabel("sweep")
plt.ylabel("log-likelihood")
plt.show()

# %% [markdown]
# The fast engine makes the same sweeps, 20 times faster or more. Its draws are an ArviZ DataTree.
# %%
fit = gc.fit(card, engine="gibbs", start="lecture", draws=5000)
print(fit.tree["posterior"])

# %% [markdown]
# The posterior is a cloud of curves.
# %%
x = np.linspace(5, 40, 200)
for w, mu, sigma in zip(*(a[0, ::50] for a in fit.params), strict=True):
    plt.plot(x, np.exp(mixture.log_density(x, gc.Params(w, mu, sigma))), color="C0", alpha=0.1)
plt.show()
