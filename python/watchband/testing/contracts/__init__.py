"""One suite per interface, run over every registered implementation."""
