"""The page of the number of components."""
