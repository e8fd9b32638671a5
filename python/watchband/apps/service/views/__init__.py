"""What the API and the dashboard show, as plain data made of what the service holds in memory."""
