"""``wb.feature_matrix`` and ``watchband features``: from files or frames to rows of features."""
