"""The worker's standard output, on which the hub listens."""

import os
import threading
from collections.abc import Callable

from agentdeck.protocol.wire import encode
from agentdeck.protocol.worker import AnyFrame


class Pipe:
    """Writes frames, from any thread. It blocks when the hub does not read: then there is nothing to do but wait."""

    def __init__(self, fd: int, closed: Callable[[], None] = lambda: None) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self.closed = closed
        """Called when nobody reads any more."""

    def write(self, frame: AnyFrame) -> None:
        data = memoryview(encode(frame))
        try:
            with self._lock:
                while data:
                    data = data[os.write(self._fd, data) :]
        except BrokenPipeError:
            self.closed()
