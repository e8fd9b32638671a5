"""HTTP: what is pushed in, what Prometheus scrapes, what an operator asks. FastAPI is used here only."""
