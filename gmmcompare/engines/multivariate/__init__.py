"""Gibbs, EM and NUTS for mixtures of multivariate normals."""
