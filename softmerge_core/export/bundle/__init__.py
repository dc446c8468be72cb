"""A run as one file: all that it took and all that came of it, which becomes the same run again on any machine."""
