"""Lining fits up: labels, functions of a draw, agreement, densities, diagnostics."""
