"""The page of a study of priors."""
