"""The page of draws of any model, side by side."""
