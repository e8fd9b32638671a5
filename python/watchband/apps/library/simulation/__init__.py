"""``wb.simulate`` and ``wb.inject``: simulated series and faults, in memory, to files, live."""
