"""Server-sent events of instrument APIs: ``events`` reads the stream, ``source`` makes readings of it."""
