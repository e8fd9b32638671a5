"""``wb.forecast`` and ``watchband forecast``: from files or frames to what comes next."""
