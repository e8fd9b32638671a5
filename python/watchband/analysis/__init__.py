"""What is made of evaluations: tuning and selection. Pure: no files, no clock of its own."""
