"""What people are refused, in the words of the protocol."""

from agentdeck.protocol.viewers import CODE, Problem


class RefusedError(Exception):
    """`code` is one of `protocol.viewers.CODES`."""

    def __init__(self, code: str, text: str = "", *, ref: str = "", retry_after: float | None = None) -> None:
        super().__init__(text or CODE[code].about)
        self.problem = Problem(code=code, text=text or CODE[code].about, ref=ref, retry_after=retry_after)
