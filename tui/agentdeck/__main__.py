"""`python -m agentdeck` is `agentdeck`."""

import sys

from agentdeck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
