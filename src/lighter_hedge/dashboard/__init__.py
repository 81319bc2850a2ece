"""The operators' page: what it shows (pure), how it is served, and the page itself. It can only ask, never trade."""
