"""The page of a comparison in several dimensions."""
