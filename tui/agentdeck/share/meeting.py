"""Names of files that several processes know, and what an exit of the gateway means."""

from typing import Final

LIST: Final = "shared-sessions.json"
"""What is shared, beside the configuration."""

KEY: Final = "share.key"
"""In the state directory: from which the secrets of links are derived."""

SOCKET: Final = "gateway.sock"
"""In the run directory; the gateway listens."""

TOKEN: Final = "gateway.token"
"""In the run directory: what the owner's own scripts send as Bearer."""

ALREADY_RUNNING: Final = 75
"""Exit status of a gateway that found another one running."""
