"""Watchband on AWS, played through on local endpoints: ``make aws-demo``."""
