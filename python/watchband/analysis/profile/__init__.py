"""What a series is made of, before anybody judges it: pure arithmetic over times and values, one question a module."""
