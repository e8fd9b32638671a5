"""``watchband aws``: what is made for Amazon Web Services, one module a command."""
