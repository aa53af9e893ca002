"""Data too many for one array: pieces of files, where they are held, and a grid that sums them."""
