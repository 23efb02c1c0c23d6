"""The program that an agent CLI starts before a tool call: asks the hub, waits, passes the answer on.

Nothing imports this package, and it imports nothing but the standard library: it is started for every single tool
call, so its start-up is the price of every call.
"""
