"""Engines: Gibbs, EM, NUTS, exact draws, and the user's own. None imports another."""
