"""One engine of one problem: run, or found in the cache."""
