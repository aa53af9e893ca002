"""The notebook of the lesson on faults, in cells."""

# %% [markdown]
# # The broken sampler that looks perfect
#
# The gallery of classic faults.
# %%
import matplotlib.pyplot as plt

from gmmcompare.lessons import broken
from gmmcompare.validation.faults.catalogue import KERNEL_FAULTS
from gmmcompare.validation.run import validate

for name, kernel in KERNEL_FAULTS.items():
    print(f"{name:30s} {kernel.mistake}")

# %% [markdown]
# One of them on 6,078 observations: every shift of a posterior mean is within chance.
# %%
problem, reference = broken.large_data()
large = broken.on_large_data("mean-loc-ignored", problem, reference)
for name, shift, error in zip(large["names"], large["shift"], large["error"], strict=True):
    print(f"{name:14s} {shift:6.3f} posterior sds, standard error {error:.3f}")

plt.errorbar(large["shift"], large["names"], xerr=large["error"], fmt="o")
plt.axvline(0.0, color="grey")
plt.xlabel("shift, posterior sds")

# %% [markdown]
# The same code on twelve observations.
# %%
found = validate("fault:mean-loc-ignored", quick=True)
for check in found.checks:
    print(check.verdict, check.name, check.summary)
