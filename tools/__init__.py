"""Programs for those who work on Watchband; not part of the package."""
