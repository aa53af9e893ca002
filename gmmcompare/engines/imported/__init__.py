"""Draws made elsewhere, as an engine."""
