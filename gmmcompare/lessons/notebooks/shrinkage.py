"""The notebook of the lesson on shrinkage, in cells."""

# %% [markdown]
# # Planets shrink towards their groups
#
# Measured values that never change, and errors of the size that you say.
# %%
import matplotlib.pyplot as plt
import numpy as np

from gmmcompare.lessons import shrinkage as lesson

x, y, quality = lesson.data()
print(f"{y.size} planets, measured {np.sqrt(np.mean((y - x) ** 2)):.3f} from the truth")

# %% [markdown]
# The larger the errors are said to be, the narrower the groups.
# %%
for size in (0.0, 0.2, 0.4, 0.6):
    groups = lesson.groups(y, size * quality)
    mean, _ = lesson.true_values(y, groups, size * quality)
    off = np.sqrt(np.mean((mean - x) ** 2))
    print(f"size {size:.1f}: sds {groups.sigma.round(2)}, shrunk values {off:.3f} from the truth")

# %% [markdown]
# Each planet's true value, with its sd, against the measured one.
# %%
errors = lesson.TRUE_SIZE * quality
mean, sd = lesson.true_values(y, lesson.groups(y, errors), errors)
plt.errorbar(y, mean, sd, fmt=".", alpha=0.6)
plt.plot(y, y, "k--", lw=1)
plt.xlabel("measured")
plt.ylabel("true")
plt.show()
