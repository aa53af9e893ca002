"""The notebook of the lesson on labels, in cells."""

# %% [markdown]
# # Labels mean nothing
#
# Two groups with nearly the same mean, one wide and one narrow.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.comparison.labels import Reference, sort_by_mean
from gmmcompare.lessons import labels
from gmmcompare.model import mixture

y, _ = mixture.simulate(labels.TRUE, labels.N, np.random.default_rng(labels.SEED))
sample = gc.Sample.of(y)
em = gc.fit(sample, engine="em", components=2)
gibbs = gc.fit(sample, engine="gibbs", components=2, draws=2000)

# %% [markdown]
# How often is the wide group misnamed?
# %%
aligned = gc.align(gibbs.params, Reference.of(em.point, sample)).params
for name, draws in (
    ("as drawn", gibbs.params),
    ("sorted by mean", sort_by_mean(gibbs.params).params),
    ("aligned", aligned),
):
    print(f"{name:15s} {labels.mislabelled(draws):.1%}")
    plt.figure()
    plt.plot(draws.mu[0], lw=0.5)
    plt.title(f"means of the first chain, {name}")

# %% [markdown]
# An order constraint while sampling: some chains stop at a wall, in silence. This takes a minute.
# %%
card = gc.load_card("exoplanets-k3", ["data.dataset=exoplanets-simulated"])
trapped = gc.fit(
    card, engine="nuts", identify="ordered", start="default", chains=8, warmup=500, draws=500
)
print("mean log-likelihood of each chain:", trapped.stat("log_lik").mean(axis=1).round(1))
print("divergences of each chain:", trapped.stat("diverging").sum(axis=1))
free = gc.fit(card, engine="gibbs", draws=2000)
print("Gibbs:", free.stat("log_lik").mean().round(1))
