"""What sharing a session means, without a socket or a clock: who may come in, what they may do, what may leave.

`allowlist` says what is shared at all, `tokens` how people prove that they were invited, `room` who is there and what
becomes of what they want, `prompts` the queue of their prompts, `redact` and `rows` what is taken out before anything
leaves, `canvas` the screen as viewers get it, `log` the durable events.
"""
