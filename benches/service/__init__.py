"""What the service costs: folded and stored in one process, over HTTP, at a restart, and beside recording rules."""
