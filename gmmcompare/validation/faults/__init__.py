"""The gallery: the correct Gibbs sweep with one classic fault each."""
