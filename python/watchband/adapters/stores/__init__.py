"""Where logs, positions, alerts and snapshots are kept."""
