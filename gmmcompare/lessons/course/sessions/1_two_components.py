"""The notebook of session 1, in cells."""

# %% [markdown]
# # A Gibbs sampler for two components
#
# Radii of planets, on a logarithmic scale. (Simulated from a published fit; the real ones are a
# download away.)
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc

sample = gc.load_sample("exoplanets-simulated", "pl_radj", transform="log10")
y = sample.y[:: max(1, sample.n // 1500)]  # some of them, so that plain Python is quick
_ = plt.hist(y, 60, density=True, color="lightgrey")

# %% [markdown]
# Two humps. Each observation belongs to component 1 or 2, we do not know which: z_i. If we knew,
# everything would be easy. So we
# pretend, in turn.
#
# **z, given the rest.** The odds of component 2.
# %%
priors = gc.Priors()
print(priors)


def draw_z(w, mu, sigma, rng):
    """Draw whether each observation is of component 2."""
    joint = w * np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / sigma
    return (rng.random(y.size) < joint[:, 1] / joint.sum(axis=1)).astype(int)


# %% [markdown]
# **w, given z**: Dirichlet, with counts added. **mu, given z and sigma**: precisions add.
# **sigma^2, given z and mu**: inverse gamma.
# %%
def sweep(w, mu, sigma, rng):
    """Make one sweep."""
    z = draw_z(w, mu, sigma, rng)
    n = np.bincount(z, minlength=2)
    w = rng.dirichlet(priors.weight_concentration + n)
    precision = n / sigma**2 + 1 / priors.mean_sd**2
    total = np.bincount(z, y, 2) / sigma**2 + priors.mean_loc / priors.mean_sd**2
    mu = rng.normal(total / precision, precision**-0.5)
    scale = priors.var_scale + np.bincount(z, (y - mu[z]) ** 2, 2) / 2
    return w, mu, np.sqrt(scale / rng.gamma(priors.var_shape + n / 2))


# %% [markdown]
# Start somewhere, and go.
# %%
rng = np.random.default_rng(1)
state = np.array([0.5, 0.5]), np.array([-0.5, 0.5]), np.array([0.5, 0.5])
draws = []
for _ in range(600):
    state = sweep(*state, rng)
    draws.append(np.concatenate(state))
draws = np.array(draws)

# %% [markdown]
# **Traces.** The first sweeps travel; what comes after wanders about one place. That is the
# posterior.
# %%
fig, axes = plt.subplots(3, 1, sharex=True)
for ax, name, columns in zip(axes, ("w", "mu", "sigma"), np.split(draws, 3, axis=1), strict=True):
    ax.plot(columns)
    ax.set_ylabel(name)

# %% [markdown]
# **Plug-in density**: the posterior means, put into the density. (Why is this not the posterior
# mean of the density?)
# %%
w, mu, sigma = draws[100:].mean(axis=0).reshape(3, 2)
grid = np.linspace(y.min(), y.max(), 400)
components = w * np.exp(-0.5 * ((grid[:, None] - mu) / sigma) ** 2) / sigma / np.sqrt(2 * np.pi)
plt.hist(y, 60, density=True, color="lightgrey")
plt.plot(grid, components)
plt.plot(grid, components.sum(axis=1), color="black")

# %% [markdown]
# The same by the engine, on all observations, with four chains.
# %%
few = {"draws": 2000, "warmup": 500}
gibbs = gc.fit(sample, "gibbs", components=2, priors=priors, **few)
comparison = gc.compare([gibbs])
gc.plot(comparison)

# %%
gc.plot(comparison, "gibbs-0-trace")

# %% [markdown]
# Do you agree with it?
# %%
print(np.sort(mu), np.sort(comparison.summaries["gibbs"].point.mu))
