"""``wb.report``: the whole story of a training as one page, for those who decide and were not there."""
