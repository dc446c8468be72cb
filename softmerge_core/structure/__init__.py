"""The make of networks: whether one can be taken apart, and whether two are built and compute alike."""
