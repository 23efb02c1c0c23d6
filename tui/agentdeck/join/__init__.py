"""Joining somebody's shared session from a terminal: the link, the door, the line that mends itself, and what came.

What comes from the other machine is data: rows of text and styles, never a byte for this terminal.
"""
