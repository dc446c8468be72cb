"""Modules that methods return. They are kept apart from the methods, because listing those must not load torch."""
