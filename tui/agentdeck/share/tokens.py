"""Secrets that let people in, and how they are kept: as hashes only.

Those of invites follow from one key (`share.keyfile`) and the invite's name, so that a link can be shown again.
A link's secret has 256 random bits, so one round of SHA-256 is enough. A typed code has 40 and therefore only lets
somebody wait for the owner's approval, once, for ten minutes.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

CODE_LIFE: Final = 600.0
"""Seconds."""

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V", "-": None, " ": None})

_WORD_LIST: Final = (
    "amber anchor apple arrow autumn badge banjo basil beacon birch blanket bottle branch brass bridge butter cactus "
    "camel candle canyon carpet castle cedar cherry circle clover cobalt comet copper coral cotton cradle cricket "
    "crystal daisy delta desert diamond dolphin dragon eagle ember falcon feather fiddle forest fossil garden ginger "
    "glacier guitar hammer harbor hazel helmet honey island ivory jacket jasmine jungle kettle kiwi ladder lagoon "
    "lantern lemon lily linen lotus magnet mango maple marble meadow melon meteor mirror mosaic nectar needle nickel "
    "oasis ocean olive onyx opal orbit orchid otter paddle panda papaya parrot pearl pebble pepper piano pigeon pine "
    "planet plum pocket pond poppy prairie puzzle quartz quilt rabbit raven ribbon river rocket saddle saffron salmon "
    "sapphire scarf shadow silver spider sponge"
)
_WORDS: Final = tuple(_WORD_LIST.split())


def new_secret() -> str:
    """256 bits, as URL-safe text."""
    return secrets.token_urlsafe(32)


def new_id(prefix: str = "") -> str:
    """A public name that says nothing and cannot be guessed from others."""
    return prefix + secrets.token_hex(8)


def link_secret(key: bytes, invite: str) -> str:
    """The 256 bits that are behind the `#` of an invite's link."""
    return base64.urlsafe_b64encode(hmac.digest(key, f"link {invite}".encode(), "sha256")).rstrip(b"=").decode()


def typed_code(key: bytes, invite: str) -> str:
    """The code of an invite: eight symbols that can be read out loud, as XXXX-XXXX."""
    digest = hmac.digest(key, f"code {invite}".encode(), "sha256")
    symbols = "".join(_CROCKFORD[byte % len(_CROCKFORD)] for byte in digest[:8])
    return f"{symbols[:4]}-{symbols[4:]}"


def normalised(code: str) -> str:
    """What somebody meant by a code that they typed."""
    return code.strip().upper().translate(_MISREAD)


def csrf(token: str) -> str:
    """What a page proves with that it may read our answers: made of its cookie, so that nobody has to keep it."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"agentdeck csrf", hashlib.sha256).hexdigest()[:32]


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two hashes are equal, told in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def words(token_hash: str) -> str:
    """Three words that both screens show for one guest, so that the owner lets in the right one."""
    digest = hashlib.sha256(f"words {token_hash}".encode()).digest()
    return " ".join(_WORDS[digest[n] % len(_WORDS)] for n in range(3))
