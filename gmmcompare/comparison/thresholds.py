"""The numbers on which a comparison's verdict depends: see `checks`, `agreement` and `point`."""

# --- Before two engines are compared --------------------------------------------------------------

MIN_CHAINS = 4
MAX_RHAT = 1.01
MIN_ESS = 1000.0
MIN_SLOWEST = 80.0
"""Effective draws of the slowest combination of quantities, by which the batches of a test are cut:
four batches of 20, the fewest that tell an error."""
MODE_GAP = 10.0
"""A chain whose mean log-likelihood is this far below another's is in a minor mode."""
MAX_SMALL = 1e-3
"""Probability of a component with at most one observation that is of no account."""
MIN_CROSSINGS = 100
"""Entries into such states and exits from them that tell how probable they are."""

# --- Whether their draws differ -------------------------------------------------------------------

ALPHA = 0.01
"""Level of the test, corrected for the number of statistics."""
CONFIRM_ALPHA = 0.001
"""Level at which a difference has to be seen again with fresh seeds."""
UNREPEATED_ALPHA = ALPHA * CONFIRM_ALPHA
"""Level that a difference has to reach at once where it cannot be repeated: as improbable as to be
found and then seen again."""
MAX_ROUNDS = 3
MARGIN = 0.1
"""Differences below a tenth of a posterior sd are of no consequence."""
POWER_80 = 0.84
"""Normal quantile of 80 % power."""
MIN_TESTABLE = 100.0
"""Effective draws below which a tail may not have been seen at all."""

# --- Where a point estimate lies ------------------------------------------------------------------

CLOUD_QUANTILE = 0.999
MIN_OCCUPIED = 0.5
"""Share of draws in which no component is nearly empty, below which a point cannot be placed."""
SAME_MAXIMUM = 0.01
"""Two point estimates whose log-likelihoods differ by no more are at the same maximum."""

# --- How far an inconclusive comparison is pursued ------------------------------------------------

SETTLING_ROUNDS = 2
"""How often engines are run again with other settings; each time the verdict is reached anew."""
SETTLING_DRAWS = 16
"""Most draws, and warm-up, of any engine in these rounds, as a multiple of the first run's."""
