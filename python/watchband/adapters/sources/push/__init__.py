"""What is pushed: payloads of several formats to readings, bad parts named and set aside."""
