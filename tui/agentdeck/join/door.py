"""Coming in: the secret of a link, or a typed code, for a token. One request, and every failure is one sentence."""

import asyncio
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from agentdeck.errors import ShareError, UsageError
from agentdeck.join.farewell import refused
from agentdeck.join.link import Code, Link, is_local
from agentdeck.protocol import viewers as v

DEADLINE: Final = 15.0
"""Seconds for the server to answer."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets us in from now on."""

    base: str
    joined: v.Joined
    trusted: str = ""
    """A file of certificates to trust besides the system's."""
    pinned: bytes = b""
    """The one certificate that may answer, as DER; empty: any that the system trusts."""

    @property
    def socket(self) -> str:
        return f"ws{self.base.removeprefix('http')}/v1/s/{self.joined.share}/ws"

    @property
    def tls(self) -> ssl.SSLContext | None:
        return context(self.trusted, self.pinned) if self.base.startswith("https") else None

    @property
    def direct(self) -> bool:
        """Whether no proxy of this system stands before the server."""
        return is_local(self.base) or bool(self.pinned)


def context(trusted: str, pinned: bytes = b"") -> ssl.SSLContext:
    """Raises `UsageError` for a file that holds no certificate."""
    if pinned:
        return _only(pinned)
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if trusted:
        try:
            made.load_verify_locations(trusted)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{trusted} holds no certificate to trust", hint=str(error)) from error
    return made


def _only(certificate: bytes) -> ssl.SSLContext:
    """Trusts one certificate and nothing else: whoever shows it has its key. What it is called does not matter then."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    made.load_verify_locations(cadata=certificate)
    return made


async def shown(base: str, fingerprint: str) -> bytes:
    """The certificate with this fingerprint, as the server shows it; nothing is said to it. Raises `ShareError`."""
    parts = urlsplit(base)
    looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    looking.minimum_version = ssl.TLSVersion.TLSv1_2
    looking.check_hostname = False
    looking.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(DEADLINE):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=looking)
    except TimeoutError as error:
        raise _silent(base) from error
    except (OSError, EOFError) as error:
        raise _nobody(base) from error
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    finally:
        writer.close()
    if not hmac.compare_digest(hashlib.sha256(found).hexdigest(), fingerprint):
        raise ShareError(
            f"the certificate of {base} is not the one that the link names: somebody may stand between",
            hint="nothing was sent; ask the owner for the link and the fingerprint anew",
        )
    return found


async def enter(what: Link | Code, name: str, trusted: str = "") -> Pass:
    """Join. Raises `ShareError` when the server cannot be reached or refuses."""
    base = what.base
    if isinstance(what, Link):
        path, body = f"/v1/s/{what.share}/join", msgspec.json.encode(v.Join(secret=what.secret, name=name, bearer=True))
    else:
        path, body = "/v1/join", msgspec.json.encode(v.JoinCode(code=what.code, name=name, bearer=True))
    pinned = await shown(base, what.fingerprint) if what.fingerprint else b""
    verify: ssl.SSLContext | bool = context(trusted, pinned) if base.startswith("https") else False
    try:
        around = not (is_local(base) or pinned)
        async with httpx.AsyncClient(verify=verify, timeout=DEADLINE, trust_env=around) as client:
            answer = await client.post(base + path, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError as error:
        raise _unreachable(base, error) from error
    return Pass(base, _joined(base, answer), trusted, pinned)


def _joined(base: str, answer: httpx.Response) -> v.Joined:
    try:
        if answer.is_success:
            return msgspec.json.decode(answer.content, type=v.Joined)
        problem = msgspec.json.decode(answer.content, type=v.Problem)
    except msgspec.DecodeError as error:
        raise ShareError(f"what answers at {base} is no agentdeck", hint="check the link") from error
    raise refused(problem)


def _unreachable(base: str, error: httpx.HTTPError) -> ShareError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ShareError(
            f"the certificate of {base} is not trusted here",
            hint="--fingerprint takes what the owner reads to you; --ca FILE trusts a file that they gave you",
        )
    if isinstance(error, httpx.TimeoutException):
        return _silent(base)
    return _nobody(base)


def _silent(base: str) -> ShareError:
    return ShareError(f"{base} did not answer in {DEADLINE:.0f} s", hint="check the link and the network")


def _nobody(base: str) -> ShareError:
    hint = "the share may be over; or the link is of another machine: ssh -L, tailscale serve"
    return ShareError(f"nobody answers at {base}", hint=hint)
