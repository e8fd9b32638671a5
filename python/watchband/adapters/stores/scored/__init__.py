"""What watches said of each point, kept for charts and previews: derived, so it may be lost and is filled again."""
