"""The gallery of faults: the correct sampler in steps, and a table of steps gone wrong."""
