"""The exchange as the desk sees it: a port, its errors, and the adapter for Lighter."""
