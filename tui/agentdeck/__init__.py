"""agentdeck: the cockpit for coding agents. Importing it loads nothing heavy."""

__version__ = "0.1.0"
