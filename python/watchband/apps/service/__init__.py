"""The long-running process: sources, one engine, delivery, and what an operator needs to see of them."""
