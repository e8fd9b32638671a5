"""Sinks on AWS: SNS, SQS and EventBridge, with what they say in common."""
