"""From raw readings to alerts: prepare, calibrate, decide; every stage is a fold, the runner is the only loop."""

DEFAULT_DETECTOR = "auto"
"""What judges where nobody names a detector."""
