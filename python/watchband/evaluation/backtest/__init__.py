"""Backtest: what would have alerted, when and how often, by causal replay through the runner itself."""
