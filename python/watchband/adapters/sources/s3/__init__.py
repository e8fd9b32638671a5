"""New objects of a bucket or folder as a source: settings, its position, notices of a queue, and the reading."""
