"""Risk over files: readings to rows, a model fitted or applied, its document, labels and pictures."""
