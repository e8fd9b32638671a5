"""Backtests of files, frames and folders: what would have alerted, beside labels, candidate by candidate."""
