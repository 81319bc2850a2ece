"""REST of the paper exchange. ``paths.py`` has the table of all paths."""
