"""The store on AWS: one DynamoDB table, one process that writes, others that stand by."""
