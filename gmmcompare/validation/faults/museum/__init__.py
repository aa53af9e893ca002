"""Real bugs of samplers that shipped, rebuilt from their public descriptions; see `catalogue`."""
