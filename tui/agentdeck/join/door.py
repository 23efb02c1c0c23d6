"""Coming in: the secret of a link, or a typed code, for a token. One request, and every failure is one sentence."""

import ssl
from dataclasses import dataclass
from typing import Final

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

    @property
    def socket(self) -> str:
        return f"ws{self.base.removeprefix('http')}/v1/s/{self.joined.share}/ws"

    @property
    def tls(self) -> ssl.SSLContext | None:
        return context(self.trusted) if self.base.startswith("https") else None


def context(trusted: str) -> ssl.SSLContext:
    """Raises `UsageError` for a file that holds no certificate."""
    made = ssl.create_default_context()
    if trusted:
        try:
            made.load_verify_locations(trusted)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{trusted} holds no certificate to trust", hint=str(error)) from error
    return made


async def enter(what: Link | Code, name: str, trusted: str = "") -> Pass:
    """Join. Raises `ShareError` when the server cannot be reached or refuses."""
    base = what.base
    if isinstance(what, Link):
        path, body = f"/v1/s/{what.share}/join", msgspec.json.encode(v.Join(secret=what.secret, name=name, bearer=True))
    else:
        path, body = "/v1/join", msgspec.json.encode(v.JoinCode(code=what.code, name=name, bearer=True))
    verify: ssl.SSLContext | bool = context(trusted) if base.startswith("https") else False
    try:
        async with httpx.AsyncClient(verify=verify, timeout=DEADLINE, trust_env=not is_local(base)) as client:
            answer = await client.post(base + path, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError as error:
        raise _unreachable(base, error) from error
    return Pass(base, _joined(base, answer), trusted)


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
            f"the certificate of {base} is not trusted here", hint="--ca FILE trusts the one that the owner gave you"
        )
    if isinstance(error, httpx.TimeoutException):
        return ShareError(f"{base} did not answer in {DEADLINE:.0f} s", hint="check the link and the network")
    hint = "the share may be over; or the link is of another machine: ssh -L, tailscale serve"
    return ShareError(f"nobody answers at {base}", hint=hint)
