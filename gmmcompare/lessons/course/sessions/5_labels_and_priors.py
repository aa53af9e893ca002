"""The notebook of session 5, in cells."""

# %% [markdown]
# # Labels mean nothing, and the prior says a lot
#
# Swap two components: the density is the same. So the posterior has K! copies of every mode, and a
# chain may visit several.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc

sample = gc.load_sample("galaxies", "velocity_1000km_s")
priors = gc.Priors(weight_concentration=5, mean_loc=20, mean_sd=10, var_shape=10, var_scale=10)
gibbs = gc.fit(sample, "gibbs", components=4, priors=priors, draws=20_000)
comparison = gc.compare([gibbs])
gc.plot(comparison, "labels-raw-gibbs")

# %% [markdown]
# Aligned to one reference, whole triples together.
# %%
gc.plot(comparison, "labels-aligned-gibbs")

# %% [markdown]
# What does not depend on labels needs no alignment: the log-likelihood, the density, whether two
# observations belong together.
# %%
gc.plot(comparison, "together")

# %% [markdown]
# **Priors.** The same data and sampler under a prior that says "nothing".
# %%
vague = gc.Priors(mean_loc=20, mean_sd=10, var_shape=1e-4, var_scale=1e-4)
for name, prior in (("informative", priors), ("vague", vague)):
    draws = gc.fit(sample, "gibbs", components=4, priors=prior, draws=5000)
    empty = float(draws.stat("prob_empty").mean())
    largest = float(draws.tree["posterior"]["sigma"].max())
    print(f"{name}: P(a component is empty) {empty:.3f}, largest sd drawn {largest:.3g}")

# %% [markdown]
# An empty component is drawn from its prior, and that of sigma has no mean. So do not average
# sigma.
#
# With six observations all of it can be computed exactly.
# %%
y = [-1.3, -0.9, -1.05, 0.8, 1.4, 1.0]
narrow = gc.exact_posterior(y, 2, gc.Priors(1, 0, 2, 3, 2))
wide = gc.exact_posterior(y, 2, gc.Priors(1, 0, 30, 3, 2))
print("P(both components are occupied):", narrow.prob_occupied[2], "and", wide.prob_occupied[2])
plt.bar(np.arange(3) - 0.2, narrow.prob_occupied, 0.4, label="mean_sd = 2")
plt.bar(np.arange(3) + 0.2, wide.prob_occupied, 0.4, label="mean_sd = 30")
plt.xlabel("occupied components")
plt.legend()
