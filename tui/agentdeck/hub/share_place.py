"""Where a share is to be reached, as its owner asked for it: everything is judged before anything is changed."""

import msgspec

from agentdeck.errors import UsageError
from agentdeck.hub.gateway import EVERYWHERE, Place
from agentdeck.protocol import share as s
from agentdeck.share import reach


def server_of(request: s.Share, place: Place) -> str:
    """What the list calls it: local, lan, or the URL of a proxy."""
    return "lan" if request.lan else place.url if request.url else "local"


def permission_of(server: str) -> str:
    """Which permission of a repository it needs: everything that leaves this machine is one."""
    return "local" if server == "local" else "lan"


def place_of(request: s.Share, now: Place) -> Place:
    """Where the gateway must listen for this share, besides what it does now. Raises `UsageError`."""
    if request.url and request.lan:
        raise UsageError("--lan and --url are two ways: one share goes one of them", hint="share once with each")
    if not request.lan and (request.host or request.cert or request.key):
        raise UsageError("--host, --cert and --key belong to --lan", hint="add --lan, or leave them out")
    if request.url:
        return _behind(reach.url_of(request.url), now)
    return _for_others(request, now) if request.lan else now


def _behind(url: str, now: Place) -> Place:
    if now.url not in ("", url):
        raise UsageError(
            f"what is shared now is reached as {now.url}", hint="one name at a time: end that share first, or use it"
        )
    return msgspec.structs.replace(now, url=url)


def _for_others(request: s.Share, now: Place) -> Place:
    if bool(request.cert) != bool(request.key):
        raise UsageError(
            "a certificate and its key go together", hint="give --cert and --key, or neither for one of our own making"
        )
    if now.lan and not (request.host or request.cert):
        return now
    host = reach.host_of(request.host) if request.host else ""
    if host in reach.LOOPBACK:
        raise UsageError(f"{host} is this machine alone", hint="it is served there without --lan")
    alone = reach.is_address(host) and reach.is_ours(host)
    if request.cert:
        host = _named_by(request, host)
    elif not host and not reach.addresses():
        raise UsageError(
            "this machine has no address that others could reach", hint="connect it, or say with --host how it is found"
        )
    return msgspec.structs.replace(
        now, lan=host if alone else EVERYWHERE, host=host, cert=request.cert, key=request.key
    )  # fmt: skip


def _named_by(request: s.Share, host: str) -> str:
    """The host of links that the owner's certificate is good for."""
    from pathlib import Path

    from agentdeck.share import certificate  # with what only those load who bring a certificate

    made = certificate.load(Path(request.cert), Path(request.key))
    if not host:
        host = certificate.best_host(made, [*reach.addresses(), *reach.names()])
        if not host and not made.self_signed:
            raise UsageError(
                f"the certificate {request.cert} does not say what links should call this machine",
                hint="--host says it",
            )
        return host
    if not certificate.covers(made, host):
        raise UsageError(
            f"the certificate {request.cert} is not for {host}",
            hint=f"it is for {', '.join(made.hosts)}" if made.hosts else "it names no host at all",
        )
    return host
