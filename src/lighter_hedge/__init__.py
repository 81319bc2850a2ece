"""lighter-hedge: account A rests quotes on Lighter, account B hedges every fill exactly once."""

__version__ = "0.1.0"
