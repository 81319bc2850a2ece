"""Measurements of the desk. They prove nothing about correctness and assert no time."""
