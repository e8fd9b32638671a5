"""Watchband as functions of AWS Lambda: handlers of events, and what is put into their package."""
