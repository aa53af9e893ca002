"""Gibbs, EM and NUTS for Gaussian mixtures side by side, and a verdict on whether they agree."""

from __future__ import annotations

__version__ = "0.1.0"
