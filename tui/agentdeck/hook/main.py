"""Carry one question of an agent CLI to the hub and its answer back.

    python -I -S main.py PROVIDER EVENT SOCKET RULES LOG   < the CLI's JSON   > the answer in the CLI's format

The hub understands, this program only carries. It promises three things: it never waits for somebody who has gone
(the hub, or the CLI that asked), it never lets a call through because nobody answered (then the rules are applied
here, see `agentdeck.approvals.alone`), and whatever reaches its standard input is only ever passed on.
"""

import os
import select
import sys
import time

FIRST = 4.0
"""Seconds in which a hub must say anything at all: an answer, or that a person is being asked."""
AGAIN = 5.0
"""Seconds for which a hub that died while it held a call is looked for again: the next client starts a new one."""
LOOK = 1.0
"""Seconds between two looks whether the CLI that asked is still there."""
LONGEST = 16 * 1024 * 1024
GATE = "PreToolUse"


class NoHub(Exception):  # noqa: N818 - not an error: the other way
    """Nobody answers at the socket. Its text says why."""


def main(words: "list[str]") -> int:
    if len(words) != 5:
        sys.stderr.write("this program is started by agent CLIs; see the documentation of approvals\n")
        return 1
    provider, event, socket_path, rules, log = words
    parent = os.getppid()
    data = _everything()
    why = ""
    until = 0.0
    held = False
    while True:
        try:
            return _say(_ask(socket_path, provider, event, data, parent, held))
        except Gone:
            return 0
        except Lost as lost:
            held = True
            why, until = str(lost), time.monotonic() + AGAIN
        except NoHub as reason:
            why = why or str(reason)
            if not held or time.monotonic() > until:
                break
            time.sleep(0.2)
    return _alone(provider, event, rules, log, data, why)


class Gone(Exception):  # noqa: N818
    """The CLI that asked has gone."""


class Lost(Exception):  # noqa: N818
    """The hub went away while it held the call."""


def _everything() -> bytes:
    pieces = []
    size = 0
    while size <= LONGEST and (piece := os.read(0, 1 << 16)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _ask(path: str, provider: str, event: str, data: bytes, parent: int, held: bool) -> bytes:
    """Return the answer for the CLI. Raises `NoHub`, `Lost`, `Gone`."""
    import _socket

    hub = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        session = os.environ.get("AGENTDECK_SESSION", "-")[:64].replace(" ", "") or "-"
        head = f"agentdeck-hook/1 {provider} {event} {session} {os.getpid()} {len(data)}\n"
        hub.settimeout(FIRST)
        try:
            hub.connect(path)
            hub.sendall(head.encode() + data)
        except OSError as error:
            raise NoHub(f"there is no hub ({error.strerror or error})") from None
        hub.settimeout(None)
        waiting = False
        deadline = time.monotonic() + FIRST
        buffer = b""
        poll = select.poll()
        poll.register(hub.fileno(), select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise NoHub("the hub does not answer")
            if poll.poll(min(left, LOOK) * 1000):
                try:
                    piece = hub.recv(1 << 16)
                except OSError:
                    piece = b""
                if not piece:
                    reason = "the hub ended while the call waited"
                    raise Lost(reason) if waiting else NoHub("the hub hung up")
                buffer += piece
                while len(buffer) >= 5 and len(buffer) - 5 >= (size := int.from_bytes(buffer[1:5], "big")):
                    kind, body, buffer = buffer[:1], buffer[5 : 5 + size], buffer[5 + size :]
                    if kind == b"A":
                        return body
                    if kind == b"W":
                        waiting = True
                        deadline = time.monotonic() + float(body)
                    else:
                        raise NoHub("the hub speaks another language")
            elif os.getppid() != parent:
                raise Gone
    finally:
        hub.close()


def _say(answer: bytes) -> int:
    while answer:
        answer = answer[os.write(1, answer) :]
    return 0


def _alone(provider: str, event: str, rules: str, log: str, data: bytes, why: str) -> int:
    """Nobody can be asked. The CLI's own dialog stands as it is; before a call the rules are applied here."""
    if event != GATE:
        return 0
    import subprocess

    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "agentdeck.approvals.alone", provider, rules, log, why],
            input=data,
            capture_output=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"agentdeck can apply no rules to this call: {error}\n")
        return 2  # the CLIs take 2 for a refusal and tell the agent why
    return _say(done.stdout)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # nothing is left to be tidied, and tidying takes as long as the start
