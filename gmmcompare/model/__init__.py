"""What is sampled: the mixture, its priors and data, its exact posterior, and model cards."""
