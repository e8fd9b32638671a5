"""From raw readings to alerts: prepare, calibrate, decide; every stage is a fold, the runner is the only loop."""
