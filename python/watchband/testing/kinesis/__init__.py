"""A strict stand-in of Amazon Kinesis Data Streams: the limits that its documentation names, and faults on demand."""
