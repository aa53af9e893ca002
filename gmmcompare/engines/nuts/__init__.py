"""NUTS on a PyMC model with the labels summed out."""
