"""Forecast: what comes next, how wrong that was before, and when a threshold is reached."""
