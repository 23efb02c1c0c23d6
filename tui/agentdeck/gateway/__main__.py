"""python -m agentdeck.gateway --run DIRECTORY [--port N] [--host ADDRESS --cert FILE --key FILE]

The ports are bound first and the libraries loaded after that; whoever connects in between waits in the queue.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Final

from agentdeck.share.meeting import ALREADY_RUNNING

LOCAL: Final = ("127.0.0.1", "::1")

USER_TIMEOUT: Final = 15_000
"""Milliseconds after which the kernel gives up a connection whose other side takes nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="agentdeck.gateway")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="")
    parser.add_argument("--cert", default="")
    parser.add_argument("--key", default="")
    words = parser.parse_args()
    if words.host and words.host not in LOCAL and not (words.cert and words.key):
        print("anything but this machine needs a certificate", file=sys.stderr)
        return 2
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is meant for others
    os.umask(0o077)
    import fcntl
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    lock = os.open(words.run / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return ALREADY_RUNNING
    try:
        listeners = bind(words.host, words.port)
    except OSError as error:
        print(f"no port could be bound: {error}", file=sys.stderr)
        return 4
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    from agentdeck.gateway.service import serve

    address = names(words.host, listeners[0].getsockname()[1], secure=bool(words.cert))
    work = partial(serve, words.run, listeners, *address, words.cert, words.key)
    with contextlib.suppress(ImportError):
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work())
    return asyncio.run(work())


def bind(host: str, port: int) -> list[socket.socket]:
    """Listen on this machine, on both of its addresses where there are two, or on `host` as well."""
    listeners: list[socket.socket] = []
    for address in (*LOCAL, *([host] if host and host not in LOCAL else [])):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
        try:
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
        except OSError:
            listener.close()
            if address == LOCAL[1]:  # there is no IPv6, or somebody else has that port
                continue
            raise
        listener.listen(1024)
        listener.setblocking(False)
        port = listener.getsockname()[1]
        listeners.append(listener)
    return listeners


def names(host: str, port: int, *, secure: bool) -> tuple[str, frozenset[str], frozenset[str]]:
    """Our address, the origins that pages of ours have, and the hosts that requests to us name."""
    scheme = "https" if secure else "http"
    places = ["127.0.0.1", "localhost", "[::1]"]
    if host and host not in LOCAL:
        own = [socket.gethostname().lower()] if host in ("0.0.0.0", "::") else [f"[{host}]" if ":" in host else host]
        places = [*own, *places]
    hosts = frozenset(f"{place}:{port}" for place in places)
    return f"{scheme}://{places[0]}:{port}", frozenset(f"{scheme}://{each}" for each in hosts), hosts


if __name__ == "__main__":
    sys.exit(main())
