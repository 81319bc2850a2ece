"""Hashes and signatures of the venue. Pure."""
