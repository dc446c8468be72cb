"""Modules that methods return; apart from the methods, whose listing loads no torch."""
