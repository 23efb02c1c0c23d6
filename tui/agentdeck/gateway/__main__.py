"""python -m agentdeck.gateway --run DIRECTORY [--port N] [--lan ADDRESS|*] [--host HOST] [--cert FILE --key FILE]
[--url URL]

The ports are bound first and the libraries loaded after that; whoever connects in between waits in the queue.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path

from agentdeck.errors import UsageError
from agentdeck.gateway import doors
from agentdeck.share.meeting import ALREADY_RUNNING


def main() -> int:
    parser = argparse.ArgumentParser(prog="agentdeck.gateway")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    for name in ("lan", "host", "cert", "key", "url"):
        parser.add_argument(f"--{name}", default="")
    words = parser.parse_args()
    wish = doors.Wish(
        port=words.port, lan=words.lan, host=words.host, cert=words.cert, key=words.key, url=words.url
    )  # fmt: skip
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
        listeners = doors.bind(wish)
    except OSError as error:
        print(f"no port could be bound: {error}", file=sys.stderr)
        return 4
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    from agentdeck.gateway.service import serve

    work = partial(serve, words.run, wish, *listeners)
    try:
        with contextlib.suppress(ImportError):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(work())
        return asyncio.run(work())
    except UsageError as error:
        print(error, file=sys.stderr)
        return 4


if __name__ == "__main__":
    sys.exit(main())
