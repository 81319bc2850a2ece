"""What running a desk needs beside trading: supervision, Redis, logs, health."""
