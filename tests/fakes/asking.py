"""A CLI that does nothing but ask: a program for a session, which starts our hook as agent CLIs do.

    python asking.py PROVIDER SOCKET RULES LOG

Each line on its standard input is a JSON object: `event` and `payload` (or `raw`) for a question, which runs beside the
others; `dialog` to draw lines on the screen. What came of question n is printed as `#n STATUS OUTPUT`.
"""

import json
import os
import subprocess
import sys
import termios
import threading
from pathlib import Path

from agentdeck.approvals.install import command


def ask(number: int, line: str, event: str, data: bytes) -> None:
    done = subprocess.run(["/bin/sh", "-c", line], input=data, capture_output=True, check=False)
    os.write(1, f"#{number} {done.returncode} {done.stdout.decode()}\r\n".encode())


def main() -> None:
    provider, *places = sys.argv[1:]
    socket, rules, log = (Path(place) for place in places)
    attributes = termios.tcgetattr(0)
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(0, termios.TCSANOW, attributes)
    print("ready")
    for number, text in enumerate(sys.stdin):
        told = json.loads(text)
        if "dialog" in told:
            sys.stdout.write("\x1b[2J\x1b[H" + "\r\n".join(told["dialog"]) + "\r\n")
            sys.stdout.flush()
            continue
        line = command(provider, told["event"], socket=socket, rules=rules, log=log)
        data = told["raw"].encode() if "raw" in told else json.dumps(told["payload"]).encode()
        threading.Thread(target=ask, args=(number, line, told["event"], data), daemon=True).start()


if __name__ == "__main__":
    main()
