"""The Lighter adapter: wire models, parsing, encoding, signing, REST and WebSocket."""
