"""The notebook of session 4, in cells."""

# %% [markdown]
# # NUTS, and whether all three agree
#
# NUTS needs no z: it rolls on the log density, whose gradient it follows. So z has to be summed
# out.
# %%
import gmmcompare as gc

sample = gc.load_sample("galaxies", "velocity_1000km_s")
priors = gc.Priors(weight_concentration=5, mean_loc=20, mean_sd=10, var_shape=10, var_scale=10)
problem = {"components": 4, "priors": priors}

em = gc.fit(sample, "em", objective="map", starts=40, **problem)
gibbs = gc.fit(sample, "gibbs", draws=30_000, **problem)
nuts = gc.fit(sample, "nuts", draws=2500, **problem)
for fit in (em, gibbs, nuts):
    print(fit.engine, fit.status, fit.seconds)

# %% [markdown]
# Do they agree? Guess before you run this.
# %%
comparison = gc.compare([em, gibbs, nuts])
comparison

# %% [markdown]
# The three, on the data.
# %%
gc.plot(comparison, engines=["em", "gibbs", "nuts"])

# %% [markdown]
# The densities with their 90 % bands, and how far they are apart.
# %%
gc.plot(comparison, "density")

# %%
gc.plot(comparison, "difference")

# %% [markdown]
# Traces side by side. Whose draws are more worth each? (ESS, not number.)
# %%
gc.plot(comparison, "gibbs-0-trace")

# %%
gc.plot(comparison, "nuts-0-trace")

# %%
for name, summary in comparison.summaries.items():
    if summary.diagnostics:
        ess = summary.diagnostics.parameters.worst_ess[1]
        seconds = comparison.fits[name].seconds.sample
        print(f"{name}: smallest ESS {ess:,.0f} in {seconds:.1f} s of sampling")
