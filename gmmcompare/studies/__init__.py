"""How often our own verdicts err."""
