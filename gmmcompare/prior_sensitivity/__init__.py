"""Which prior matters: statistics of draws. Fits nothing."""
