"""Sweeps: one experiment at many settings and seeds. Read ``spec.py`` first; loads no torch."""
