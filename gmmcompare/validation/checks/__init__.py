"""The checks that a sampler under test has to pass."""
