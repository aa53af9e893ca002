"""The notebook of the lesson on EM, in cells."""

# %% [markdown]
# # EM climbs from where you put it
#
# The velocities of 82 galaxies, three groups, maximum likelihood.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.model import mixture

sample = gc.load_sample("galaxies", "velocity_1000km_s")
y = sample.y
print(sample.n, "galaxies, mean", sample.mean, "sd", sample.sd)


# %% [markdown]
# One iteration is two moves: responsibilities, then weighted averages.
# %%
def em_step(at: gc.Params) -> gc.Params:
    """Make one E-step and one M-step."""
    r = mixture.responsibilities(y, at)
    n_k = r.sum(axis=0)
    mu = (r * y[:, None]).sum(axis=0) / n_k
    variance = (r * (y[:, None] - mu) ** 2).sum(axis=0) / n_k
    return gc.Params(n_k / y.size, mu, np.sqrt(variance))


def climb(at: gc.Params, steps: int) -> gc.Params:
    """Iterate, print the log-likelihood now and then, and draw how it rises."""
    heights = []
    for step in range(steps + 1):
        if step % 10 == 0 or step < 3:
            print(f"{step:4d}  {mixture.log_likelihood(sample, at):.4f}  means {at.mu.round(3)}")
        heights.append(float(mixture.log_likelihood(sample, at)))
        at = em_step(at)
    plt.plot(heights)
    plt.xlabel("iteration")
    plt.ylabel("log-likelihood")
    return at


# %% [markdown]
# From quantiles it climbs.
# %%
third = np.full(3, 1 / 3)
end = climb(gc.Params(third, sample.quantiles([0.1, 0.5, 0.9]), np.full(3, sample.sd)), 90)

# %% [markdown]
# From three equal groups it never moves: a saddle, not a summit.
# %%
end = climb(gc.Params(third, np.full(3, 20.0), np.full(3, 2.0)), 30)

# %% [markdown]
# Nearly equal is enough: every step multiplies the difference.
# %%
nudge = 1e-3 * sample.sd
end = climb(gc.Params(third, 20 + nudge * np.array([-1, 0, 1]), np.full(3, 2.0)), 90)

# %% [markdown]
# The engine does all this from many starts, discards those that collapse, and says so.
# %%
card = gc.load_card("galaxies-k4", ["mixture.components=3", "engines.em.objective=ml"])
fit = gc.fit(card, engine="em")
print(fit.point, *fit.notes, sep="\n")
stuck = gc.fit(card, engine="em", start="lecture")
print(stuck.status)
