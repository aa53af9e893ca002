"""How many components: information criteria, LOO, evidence, predictive checks. Fits nothing."""
