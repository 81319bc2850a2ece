"""Faults of the exchange core: what kinds there are, which are armed, and what they do to orders and accounts. Pure.

What they do to requests, frames and sockets is in ``simulator/edge/faults``.
"""
