"""Child processes in which the code of the user runs."""
