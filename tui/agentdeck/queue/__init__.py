"""Prompts that wait until an agent is free: what is queued, and what may be sent, decided without a clock or a file."""
