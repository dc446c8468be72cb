"""Groups of units that a network's function does not depend on the order of, found by tracing one forward pass."""
