"""Reversible jump with split and merge, birth and death."""
