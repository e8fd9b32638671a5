"""The handlers: what AWS Lambda calls, each with an event."""
