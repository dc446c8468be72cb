"""The Sweep page: one experiment at many settings, live."""
