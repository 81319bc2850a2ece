"""A Lighter of our own: a pure exchange core, its traffic, its faults, and a server that real clients talk
to."""
