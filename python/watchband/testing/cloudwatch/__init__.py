"""A strict stand-in for CloudWatch, with the corners of its neighbours that clients need: on loopback, in a thread.

It speaks AWS JSON 1.0, which is what botocore chooses for CloudWatch; a test says when that changes. Each rule names
the page of AWS's documentation that it follows, by its title; "API: X" is the page of the operation or type X in the
API Reference, "User Guide: X" a page of the CloudWatch User Guide. Where AWS says nothing, the stand-in does what is
hardest for a client, and its comment says so.
"""
