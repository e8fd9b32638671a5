"""``train``, ``score`` and the folder between them: a champion with its card, its model file and its evidence."""
