"""Mixtures of multivariate normals: parameters, priors, data and density."""
