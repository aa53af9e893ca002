"""The notebook of the lesson on two dimensions, in cells."""

# %% [markdown]
# # Two dimensions: an ellipse is a covariance
#
# Two groups of points, and the correlation of one of them.
# %%
import matplotlib.pyplot as plt
import numpy as np

from gmmcompare.lessons import ellipses as lesson
from gmmcompare.model.multivariate.density import log_likelihood
from gmmcompare.model.multivariate.sample import VectorSample

y = lesson.data()
best = lesson.best(y)
print("means", best.mu.round(2).tolist())
print("sds", np.sqrt(best.variances).round(2).tolist())
print("correlations", best.correlations[:, 0, 1].round(2).tolist())

# %% [markdown]
# Another correlation leaves both histograms as they are, and the likelihood falls.
# %%
sample = VectorSample.of(y)
for rho in (-0.5, 0.0, 0.5, best.correlations[0, 0, 1]):
    height = log_likelihood(sample, lesson.with_correlation(best, rho))
    print(f"correlation {rho:5.2f}: log-likelihood {height:.1f}")

# %% [markdown]
# Means of Gibbs draws, named by a coordinate and by whose points they are.
# %%
raw, aligned = lesson.drawn(y, best)
by_right = np.take_along_axis(raw, np.argsort(-raw[:, :, 0], axis=1)[:, :, None], axis=1)
figure, axes = plt.subplots(1, 2, sharex=True, sharey=True)
for axis, mu, title in ((axes[0], by_right, "the right one"), (axes[1], aligned, "aligned")):
    for k in range(lesson.K):
        axis.scatter(*mu[:, k].T, s=8, alpha=0.5)
    axis.set_title(title)
plt.show()
print("average of group 1, by the right one:", by_right[:, 0].mean(axis=0).round(2))
print("average of group 1, aligned:         ", aligned[:, 0].mean(axis=0).round(2))
