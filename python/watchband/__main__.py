"""``python -m watchband``: the command."""

from watchband.apps.cli.main import main

if __name__ == "__main__":
    main()
