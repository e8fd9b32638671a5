"""What the detectors with a fitted model share: rows, the ring, the hold, the cache of models, model files."""
