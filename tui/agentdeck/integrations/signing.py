"""Signatures of what a webhook sends, so that the receiver knows who sent it and that it is not an old copy.

The header `X-Agentdeck-Signature` is `t=UNIX,v1=HEX`: HMAC-SHA256 with the shared secret over `UNIX.BODY`. The time is
part of what is signed, so a copy cannot be sent again later with a new one.
"""

import hashlib
import hmac
from typing import Final

HEADER: Final = "X-Agentdeck-Signature"

TOLERANCE: Final = 300
"""Seconds that a signature may be old, or ahead of the receiver's clock."""


def sign(secret: str, body: bytes, at: int) -> str:
    """Return the header's value for a body sent at a moment (unix seconds)."""
    digest = hmac.new(secret.encode("utf-8", "surrogatepass"), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def verify(secret: str, header: str, body: bytes, *, now: float, tolerance: float = TOLERANCE) -> bool:
    """Return whether a header fits the body and is recent. Nothing in a header makes this raise."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not (at.isascii() and at.isdigit() and len(at) < 16) or abs(now - int(at)) > tolerance:
        return False
    wanted = sign(secret, body, int(at)).partition(",v1=")[2]
    return hmac.compare_digest(wanted.encode(), parts.get("v1", "").encode("utf-8", "replace"))
