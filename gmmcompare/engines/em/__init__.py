"""EM: compiled, and over data in partitions."""
