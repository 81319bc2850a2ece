"""What clients of the paper exchange meet: REST, WebSocket, the files it keeps."""
