"""Files that grow: ``follow`` finds them again whatever they are called, ``rows`` reads what was added, ``source``."""
