"""Metrics for Prometheus over HTTP, on loopback unless told otherwise.

There is nothing of any session's contents in them, and no label that grows without end: tools and models beyond the
first hundred are counted as `other`, sessions have no label at all. A request for another host's name is refused while
we listen on loopback, so that a web page cannot read the numbers through a name of its own.
"""

import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import ClassVar, Final

from agentdeck.errors import UsageError
from agentdeck.realtime.metrics import Metrics, MetricsCollector

PORT: Final = 9464
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
TIMEOUT: Final = 10.0
"""Seconds for a client to say what it wants."""

_log: Final = logging.getLogger("agentdeck.prometheus")


def address(text: str) -> tuple[str, int]:
    """Read `:PORT`, `PORT`, `HOST:PORT` or `[V6]:PORT`. Without a host it is loopback. Raises `UsageError`."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"{text!r} is no address to listen on", hint="addresses look like :9464 or 127.0.0.1:9464")
    return host.strip("[]") or "127.0.0.1", int(port)


def serve(listen: str, metrics: MetricsCollector) -> "Exporter":
    """Listen where `listen` says, in the words of `address`, and return what serves the numbers in its `with` block.

    Raises `UsageError` for what is no address, and for one that cannot be had.
    """
    host, port = address(listen)
    return Exporter(metrics, host=host, port=port)


def exposition(metrics: Metrics) -> str:
    """Return the numbers in Prometheus's text format."""
    return "".join(f"{line}\n" for line in _lines(metrics))


class Exporter:
    """Serves `/metrics` while its `with` block lasts. `port` 0 takes a free one; `address` says which."""

    def __init__(self, metrics: MetricsCollector, *, host: str = "127.0.0.1", port: int = PORT) -> None:
        try:
            self._server = _Server((host, port), metrics)
        except (OSError, UnicodeError) as error:  # a host name may be no name at all
            reason = error.strerror if isinstance(error, OSError) else "that is no host"
            raise UsageError(
                f"metrics cannot be served on {host}:{port}: {reason}", hint="choose another address, as in :9465"
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="agentdeck-metrics", daemon=True)

    def __enter__(self) -> "Exporter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = False  # newer Pythons would let two exporters share a port, each with half of the scrapes

    def __init__(self, address: tuple[str, int], metrics: MetricsCollector) -> None:
        self.metrics = metrics
        self.is_loopback = _is_loopback(address[0])
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Request)

    def server_bind(self) -> None:
        """Bind without asking the network for our name, as HTTPServer would: that takes time, and tells it of us."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks may leave before the answer; what else goes wrong is for the log, not for the screen."""
        _log.debug("a request for metrics failed", exc_info=True)


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = TIMEOUT
    server_version = "agentdeck"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        host = self.headers.get("Host", "")
        if self.server.is_loopback and not _is_loopback(_without_port(host)):
            status, body = HTTPStatus.FORBIDDEN, b"ask for localhost\n"
        elif self.path.partition("?")[0] != "/metrics":
            status, body = HTTPStatus.NOT_FOUND, b"the metrics are at /metrics\n"
        else:
            status, body = HTTPStatus.OK, exposition(self.server.metrics.snapshot()).encode()
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE if status is HTTPStatus.OK else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants a line per scrape."""


class _Family:
    """The words around one metric."""

    _escapes: ClassVar = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

    def __init__(self, name: str, kind: str, help: str) -> None:
        self._name, self._kind, self._help = name, kind, help

    def lines(self, values: Mapping[str, float] | float | None, label: str = "") -> Iterator[str]:
        name = f"agentdeck_{self._name}"
        yield f"# HELP {name} {self._help}"
        yield f"# TYPE {name} {self._kind}"
        if isinstance(values, Mapping):
            for value, number in sorted(values.items()):
                yield f'{name}{{{label}="{value.translate(self._escapes)}"}} {number!r}'
        elif values is not None:
            yield f"{name} {values!r}"


def _lines(m: Metrics) -> Iterator[str]:
    yield from _Family("active_sessions", "gauge", "Sessions that are neither idle nor over, by provider.").lines(
        m.providers, "provider"
    )
    yield from _Family("sessions_total", "counter", "Sessions seen.").lines(m.sessions)
    yield from _Family("messages_total", "counter", "Messages.").lines(m.messages)
    yield from _Family("messages_per_minute", "gauge", "Messages per minute, lately.").lines(m.messages_per_minute)
    yield from _Family("tool_calls_total", "counter", "Tool calls, by tool.").lines(m.tools, "tool")
    yield from _Family("tool_results_total", "counter", "Results of tool calls.").lines(
        {"ok": m.results - m.failed, "error": m.failed}, "status"
    )
    yield from _Family("tool_error_ratio", "gauge", "Share of failed results, lately.").lines(m.error_rate)
    yield from _Family("errors_total", "counter", "Errors that are not a call's.").lines(m.errors)
    yield from _Family("events_total", "counter", "Events, by kind.").lines(m.kinds, "kind")
    yield from _Family("output_tokens_total", "counter", "Tokens that models wrote, by model.").lines(
        m.output_tokens, "model"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
