"""The rules of the desk, pure: events in, commands out; no clock, no chance, no input or output."""
