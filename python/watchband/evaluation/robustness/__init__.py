"""The robustness matrix: detectors against kinds of metrics, time frames, noise, missing points and faults."""
