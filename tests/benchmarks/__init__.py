"""Side-by-side timings: ``make bench`` runs them all and writes ``reports/benchmarks.md``."""
