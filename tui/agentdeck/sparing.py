"""Load msgspec without what it would load beside itself; import this before it, where a start must be fast.

It takes two names from typing_extensions, if that is there, which Python's own typing has as well; and that module
brings `inspect` and a parser with it: 10 of the 50 ms of loading a worker.
"""

import sys

if "typing_extensions" not in sys.modules and "msgspec" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # how Python marks what is not to be found
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
