"""The notebook of the lesson on priors, in cells."""

# %% [markdown]
# # The prior that says nothing says a lot
#
# Ten values, two of them tied, and InverseGamma(e, e) on the variances.
# %%
import matplotlib.pyplot as plt
import numpy as np

import gmmcompare as gc
from gmmcompare.lessons import priors as lesson

y = lesson.data()
print(y)

# %% [markdown]
# How likely is an empty group, and an sd above 1,000? The posterior is exact.
# %%
for epsilon in (1e-4, 1e-2, 0.2, 3.0):
    exact = gc.exact_posterior(y, 2, gc.Priors(var_shape=epsilon, var_scale=epsilon))
    wide = 1 - exact.cdf("sigma", np.array([1000.0]))[0]
    print(f"e = {epsilon:g}: P(empty) = {exact.prob_empty:.3f}, P(sd > 1000) = {wide:.3f}")

# %% [markdown]
# The next value, under a prior that says nothing and under one that knows the scale.
# %%
x = np.linspace(-4.5, 4.5, 200)
for epsilon in (1e-4, 0.2):
    exact = gc.exact_posterior(y, 2, gc.Priors(var_shape=epsilon, var_scale=epsilon))
    plt.plot(x, exact.predictive(x), label=f"e = {epsilon:g}")
plt.plot(y, 0 * y, "k|")
plt.legend()
plt.show()
