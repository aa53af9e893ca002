"""False-positive rates: with what probability at most each check fails a correct sampler.

`Validation.error_rate` is the sum over the checks that were made (Bonferroni).
"""

INVARIANCE = 1e-5
"""However many replicates are made: the level of a bet (Ville 1939; see `betting`)."""
CONDITIONALS = 1e-6
EXACT_POSTERIOR = 1e-6
JOINT_DISTRIBUTION = 1e-6
SBC_RANKS = 1e-6
SBC_MEANS = 1e-5
"""Of the bet on mean ranks, whenever it is stopped."""
