"""The notebook of the lesson on the number of components, in cells."""

# %% [markdown]
# # Same data, eight priors, eight answers
#
# Twelve values from three groups, and the exact posterior of the number of components.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.lessons import number as lesson

y = lesson.data()
print(y)

# %% [markdown]
# The number of components that hold a value, K+, under each prior.
# %%
for belief in lesson.BELIEFS:
    exact = gc.exact_components(y, belief.priors, belief.prior, lesson.MAX_K, belief.dynamic)
    print(f"{belief.label:12}", exact.prob_occupied[1:8].round(2))

# %% [markdown]
# What is predicted hardly changes.
# %%
for belief in lesson.BELIEFS[:2]:
    exact = gc.exact_components(y, belief.priors, belief.prior, lesson.MAX_K, belief.dynamic)
    plt.plot(lesson.X, exact.predictive(lesson.X), label=belief.label)
plt.plot(y, 0 * y, "k|")
plt.legend()
plt.show()

# %% [markdown]
# Values from one group: a Dirichlet process and a prior on K.
# %%
one = np.random.default_rng(1).normal(size=14)
for n in (2, 5, 8, 11, 14):
    process = gc.exact_dirichlet_process(one[:n], lesson.ONE_GROUP, 1.0).prob_occupied[1]
    mixture = gc.exact_components(one[:n], lesson.ONE_GROUP, "bnb", 10).prob_occupied[1]
    print(f"N = {n}: P(one cluster) = {process:.2f} and {mixture:.2f}")
