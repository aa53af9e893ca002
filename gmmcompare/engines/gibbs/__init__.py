"""The Gibbs sampler: to read, compiled, and over data in partitions."""
