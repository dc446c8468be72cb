"""Which units of a network may change places: found by tracing it, confirmed on numbers."""
