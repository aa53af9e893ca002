"""The telescoping sampler, to read and compiled."""
