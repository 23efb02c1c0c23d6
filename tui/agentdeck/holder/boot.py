"""The first lines of a holder: a script, run by path with `python -I -S`, so that no site package is looked at.

It reads its orders from standard input (an environment holds secrets, and a command line is world-readable), leaves
the process that started it behind by a second fork, and only then imports the rest from the directories that its
orders name. Everything is imported now: the files may be replaced by an upgrade while a holder lives for weeks.
"""

import os
import sys


def main() -> None:
    if os.fork():
        os._exit(0)  # the hub reaps us; the holder belongs to init and outlives the hub
    with os.fdopen(0, "rb", closefd=False) as orders:
        text = orders.read()
    import json

    spec = json.loads(text)
    sys.path[:0] = spec["path"]
    from agentdeck.holder.main import run

    run(spec)


if __name__ == "__main__":
    main()
