"""Soft merging. Read ``soft.py`` first; scripts import what they need from ``softmerge_core`` itself."""
