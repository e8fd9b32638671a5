"""What tasks do: each a function that makes the work, which tells its progress and can be cancelled at every step."""
