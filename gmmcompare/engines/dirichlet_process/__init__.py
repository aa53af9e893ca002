"""The Dirichlet process mixture by algorithm 8 of Neal (2000)."""
