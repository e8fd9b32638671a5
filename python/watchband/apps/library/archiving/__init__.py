"""The archive of a store: written, gathered, kept tidy, by one call."""
