"""The only process that listens on TCP: it carries what the hub has decided to share to viewers, and their wishes back.

It never sees a session, a file or a secret of the owner's: what it gets is finished and redacted, and every question
about rights it asks the hub. FastAPI and uvicorn live here and nowhere else.
"""
