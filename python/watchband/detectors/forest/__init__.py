"""Questions asked of the trees of a random cut forest, one module each; nothing is learned from them."""
