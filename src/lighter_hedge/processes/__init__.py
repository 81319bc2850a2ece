"""The asyncio shells, one file per operating-system process."""
