"""AWS's own DynamoDB Local for a test: fetched once by Maven, checked, on loopback, stopped by its number."""
