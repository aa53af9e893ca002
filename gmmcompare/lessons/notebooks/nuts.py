"""The notebook of the lesson on NUTS, in cells."""

# %% [markdown]
# # NUTS rolls where Gibbs hops
#
# A posterior of two means that can be drawn: weights and sds are known.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.lessons import nuts
from gmmcompare.lessons.two_means import gibbs_draw, nuts_draw

posterior = nuts.model()
density = nuts.grid_density(posterior)

# %% [markdown]
# A few trajectories of NUTS, every leapfrog point kept, and as many hops of Gibbs.
# %%
rng = np.random.default_rng(nuts.SEED)
plt.contour(nuts.GRID, nuts.GRID, density.T, levels=nuts.LEVELS, colors="grey")
here = nuts.START
for _ in range(8):
    seen = nuts_draw(posterior, here, nuts.STEP, rng)
    plt.plot(*np.array(seen.points).T, ".-", color="C0")
    here = seen.points[seen.chosen]
here = nuts.START
for _ in range(8):
    there = gibbs_draw(posterior, here, rng)[0]
    plt.plot(*np.array([here, there]).T, color="C1")
    here = there
plt.show()

# %% [markdown]
# The real engines on the galaxies: do they agree, and which is faster? With so few draws the
# verdict may be inconclusive, and says what is missing.
# %%
card = gc.load_card("galaxies-k4")
em = gc.fit(card, engine="em")
gibbs = gc.fit(card, engine="gibbs", draws=10_000)
sampled = gc.fit(card, engine="nuts", draws=1000)
comparison = gc.compare([em, gibbs, sampled])
print(comparison.verdict)
comparison.table()

# %%
for fit in (gibbs, sampled):
    print(fit.engine, fit.seconds)
