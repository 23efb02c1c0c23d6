"""An HTTP receiver on loopback that answers as it is told to: with an error, late, never, or by hanging up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, NamedTuple

import msgspec


class Request(NamedTuple):
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


Behave = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, **headers: str) -> Behave:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return behave


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


class Receiver:
    """`plan` holds what it does with the next requests, one each; then it answers 200."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        host, port = server.server_address[:2]
        self.url = f"http://{host!s}:{port}/hook"
        self.requests: Queue[Request] = Queue()
        self.plan: Queue[Behave] = Queue()
        self.go_on = threading.Event()

    def will(self, *behaviours: Behave) -> None:
        for each in behaviours:
            self.plan.put(each)

    def stall(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing until `go_on`, and hang up then."""
        self.go_on.wait(60)
        hang_up(handler)

    def next(self) -> Request:
        return self.requests.get(timeout=30)


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.put(Request(headers, self.rfile.read(length)))
            behave = answer(200) if receiver.plan.empty() else receiver.plan.get()
            behave(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Senders may hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.go_on.set()
            server.shutdown()
            thread.join()
