"""Tuning: a configuration for the user's own series, found on their past and shown on a part that no search saw."""
