"""A program for tests: watch directories, and print what was said to have changed, one JSON list a line.

`python -m tests.transcripts.watching ROOT…`; lines on its input: `late SECONDS` makes it suspicious of short stops,
`problems` prints the sentences, `polling` prints whether anything is polled.
"""

import asyncio
import json
import sys
from pathlib import Path

from agentdeck.transcripts import watch as module
from agentdeck.transcripts.watch import Watch


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def obey(watch: Watch) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "problems\n":
            say({"problems": watch.problems})
        elif line == "polling\n":
            say({"polling": watch.is_polling})
    loop.stop()


async def main() -> None:
    if sys.argv[1].startswith("--late="):
        module.LATE = float(sys.argv.pop(1).partition("=")[2])  # type: ignore[misc]
    async with Watch([Path(root) for root in sys.argv[1:]]) as watch:
        task = asyncio.create_task(obey(watch))
        async for changed in watch.changes():
            say(sorted(path.decode("utf-8", "backslashreplace") for path in changed))
        await task


if __name__ == "__main__":
    asyncio.run(main())
