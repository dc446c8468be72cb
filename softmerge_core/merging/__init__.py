"""Soft merging: read ``soft.py`` first. ``softmerge_core`` itself exports what scripts need of it."""
