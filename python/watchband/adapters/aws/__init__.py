"""What sources and sinks on AWS share: credentials by boto3's own chain, errors without secrets, and a pace."""
