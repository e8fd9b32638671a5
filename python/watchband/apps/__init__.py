"""What people start: command line and library."""
