"""Recorded agents for people who have none installed: `agentdeck demo`.

`recording` is the file format, `make` turns an asciicast into one, `play` is the program that runs in a session's PTY,
`stage` fills a private hub with such sessions. Nothing here talks to an agent or to the network.
"""
