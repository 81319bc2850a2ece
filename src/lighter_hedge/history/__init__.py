"""The record of what a desk has done: SQLite, written by the recorder, read by page and reports."""
