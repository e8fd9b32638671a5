"""The words everything else is said in. Needs numpy and the standard library only."""
