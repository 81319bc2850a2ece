"""The exchange itself: transactions and time in, facts out. Pure."""
