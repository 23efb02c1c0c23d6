"""Load libghostty-vt: the one place that knows how it is packaged and that it is the version we know.

Importing pyghostty parses 3,500 lines of C declarations, 0.2 s at every start. They are compiled once into a Python
module in our cache directory instead, which imports in about 10 ms. A cache that is missing, foreign or unwritable
costs those 0.2 s and nothing else.

The C API is a public alpha, so exactly one version is accepted, and the layout of cells and rows that `cells` reads
as plain integers is checked against the library's own accessors before the first use.
"""

import contextlib
import functools
import importlib.util
import io
import os
import platform
import re
import stat
import sys
import tempfile
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from agentdeck import paths
from agentdeck.errors import TerminalCoreError, UnsafePathError

VERSION: Final = "0.1.3"
"""Of pyghostty."""

# cffi cannot pass a union by value in ABI mode. A struct of the same size and alignment has the same calling
# convention on the platforms that pyghostty has wheels for: more than 16 bytes, so in memory (x86-64) or by address
# (arm64).
_DECLARATIONS: Final = """
typedef struct { int tag; struct { uint16_t x; uint32_t y; uint64_t padding; } value; } AgentdeckPoint;
typedef GhosttyResult (*AgentdeckGridRef)(GhosttyTerminal, AgentdeckPoint, GhosttyGridRef *);
typedef struct { int tag; struct { uint64_t row; uint64_t padding; } value; } AgentdeckScroll;
typedef void (*AgentdeckScrollViewport)(GhosttyTerminal, AgentdeckScroll);
"""
_SAMPLE: Final = (
    "\x1b[?2027h\x1b[1mA\x1b[m日e\u0301\x1b]8;;u:x\x1b\\L\x1b]8;;\x1b\\"
    "\x1b[48;5;7m\x1b[X\x1b[48;2;1;2;3m\x1b[1C\x1b[X\x1b[m\x1b[1Czzzzzzzzzzzz"
)
_LIBRARIES: Final = ("libghostty-vt.so", "libghostty-vt.dylib")


@dataclass(frozen=True, slots=True)
class Core:
    """The library through cffi: `lib` has its functions and constants, `ffi` makes values for them."""

    ffi: Any
    lib: Any
    grid_ref: Any
    scroll_viewport: Any


@functools.cache
def load() -> Core:
    """Return the library, loaded and checked. Raises `TerminalCoreError`."""
    package = _find_package()
    ffi = _cached_declarations(package) or _parsed_declarations(package)
    library = next((path for name in _LIBRARIES if (path := package / "_lib" / name).exists()), None)
    if library is None:
        raise TerminalCoreError(f"pyghostty has no library for this platform ({sys.platform} {platform.machine()})")
    try:
        lib = ffi.dlopen(str(library))
    except OSError as error:
        raise TerminalCoreError(f"the terminal library cannot be loaded: {error}") from error
    core = Core(
        ffi,
        lib,
        ffi.cast("AgentdeckGridRef", ffi.addressof(lib, "ghostty_terminal_grid_ref")),
        ffi.cast("AgentdeckScrollViewport", ffi.addressof(lib, "ghostty_terminal_scroll_viewport")),
    )
    _check(core)
    return core


def _find_package() -> Path:
    spec = importlib.util.find_spec("pyghostty")
    if spec is None or spec.origin is None:
        raise TerminalCoreError("the terminal library pyghostty is not installed")
    origin = Path(spec.origin)
    found = re.search(r"__version__ = ['\"]([^'\"]+)", origin.read_text("utf-8"))
    version = found[1] if found else "an unknown version"
    if version != VERSION:
        raise TerminalCoreError(f"agentdeck needs pyghostty {VERSION}, but {version} is installed")
    return origin.parent


def _cached_declarations(package: Path) -> Any:
    """Return an `ffi` from the compiled declarations in the cache, compiling them first; None if that cannot be."""
    import _cffi_backend  # type: ignore[import-untyped]

    key = f"{VERSION}-{_cffi_backend.__version__}-{sys.implementation.cache_tag}-{sys.platform}-{platform.machine()}"
    name = "libghostty_abi_" + re.sub(r"\W", "_", f"{key}-{len(_DECLARATIONS)}")
    try:
        path = paths.make_private(paths.locate().cache) / f"{name}.py"
        if _ours_alone(path):
            with contextlib.suppress(ImportError, SyntaxError, ValueError, AttributeError):
                return _load_module(name, path).ffi
        _compile(package, name, path)
        return _load_module(name, path).ffi
    except (OSError, UnsafePathError):
        return None


def _ours_alone(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UnsafePathError(str(path), "is not a file of ours alone")
    return found.st_size > 0


def _compile(package: Path, name: str, path: Path) -> None:
    ffi = _parsed_declarations(package)
    ffi.set_source(name, None)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{name}.", suffix=".py")
    os.close(handle)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ffi.emit_python_code(draft)
        Path(draft).chmod(0o600)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def _parsed_declarations(package: Path) -> Any:
    from cffi import FFI

    declarations = _load_module("agentdeck_pyghostty_declarations", package / "_cdef.py")
    ffi = FFI()
    ffi.cdef(declarations.CDEF)
    ffi.cdef(_DECLARATIONS)
    return ffi


def _load_module(name: str, path: Path) -> ModuleType:
    loader = SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _check(core: Core) -> None:
    """Compare the layout that `cells` relies on with the library's accessors, on one row that has one of everything."""
    from agentdeck.terminal import cells

    ffi, lib = core.ffi, core.lib
    if ffi.sizeof("AgentdeckPoint") != ffi.sizeof("GhosttyPoint") or ffi.sizeof("AgentdeckScroll") != ffi.sizeof(
        "GhosttyTerminalScrollViewport"
    ):
        raise TerminalCoreError("the terminal library passes arguments in a way that agentdeck does not know")
    box = ffi.new("GhosttyTerminal *")
    if lib.ghostty_terminal_new(ffi.NULL, box, 16, 2):
        raise TerminalCoreError("the terminal library cannot make a terminal")
    terminal = box[0]
    try:
        data = _SAMPLE.encode()
        lib.ghostty_terminal_vt_write(terminal, data, len(data))
        ref = ffi.new("GhosttyGridRef *", {"size": ffi.sizeof("GhosttyGridRef")})
        point = ffi.new("AgentdeckPoint *", {"tag": lib.GHOSTTY_POINT_TAG_ACTIVE})
        if core.grid_ref(terminal, point[0], ref):
            raise TerminalCoreError("the terminal library cannot find a cell")
        seen = _sample(core, ref)
    finally:
        lib.ghostty_terminal_free(terminal)
    if not cells.layout_holds(*seen):
        raise TerminalCoreError("the terminal library lays its cells out in a way that agentdeck does not know")


def _sample(core: Core, ref: Any) -> tuple[int, dict[str, int], list[tuple[int, dict[str, int]]]]:
    ffi, lib = core.ffi, core.lib
    raw = ffi.new("uint64_t *")
    number = ffi.new("uint32_t *")
    flag = ffi.new("bool *")
    style = ffi.new("uint16_t *")

    def read(get: Any, value: int, name: str, box: Any) -> int:
        box[0] = 0
        get(value, getattr(lib, name), box)
        return int(box[0])

    lib.ghostty_grid_ref_row(ref, raw)
    row = raw[0]
    row_facts = {
        name: read(lib.ghostty_row_get, row, f"GHOSTTY_ROW_DATA_{name}", flag)
        for name in ("WRAP", "GRAPHEME", "STYLED", "HYPERLINK")
    }
    found = []
    for x in range(8):
        ref.x = x
        lib.ghostty_grid_ref_cell(ref, raw)
        cell = raw[0]
        facts = {
            name: read(lib.ghostty_cell_get, cell, f"GHOSTTY_CELL_DATA_{name}", box)
            for name, box in (
                ("CONTENT_TAG", number),
                ("CODEPOINT", number),
                ("WIDE", number),
                ("HAS_HYPERLINK", flag),
                ("STYLE_ID", style),
            )
        }
        found.append((cell, facts))
    return row, row_facts, found
