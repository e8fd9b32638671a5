"""Slack: alerts in a channel, by an incoming webhook or as a bot."""
