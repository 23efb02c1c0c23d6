"""Everything a client and the hub say to each other.

A client sends `Request`s; the hub answers each with one `Reply` of the same id, and pushes `Push`es that the
client asked for with `Watch` (what the deck knows) and `View` (one screen). Messages are msgspec structs in
tagged unions; an unknown tag is a protocol error, so `VERSION` goes up whenever a tag or a field's meaning changes.

Delivery: a `Frame` is *latest only* (a slow client skips to the newest rows); `Resources` may be skipped;
everything else must arrive.

Long, because all that the core of the hub hears and says stands in one place; each desk has a module of its own.
"""

from typing import Final

import msgspec

from agentdeck.protocol import approvals as a
from agentdeck.protocol import attention as w
from agentdeck.protocol import facts as f
from agentdeck.protocol import insight as i
from agentdeck.protocol import outside as o
from agentdeck.protocol import queue as q
from agentdeck.protocol import search as se
from agentdeck.protocol import share as s
from agentdeck.protocol.base import Reply, Request
from agentdeck.protocol.screen import Frame, Row

VERSION: Final = 1


# ── what the deck knows ────────────────────────────────────────────────────────────────────────


class Progress(msgspec.Struct, frozen=True, array_like=True):
    """OSC 9;4. `state`: 0 none, 1 normal, 2 error, 3 indeterminate, 4 paused."""

    state: int = 0
    percent: int = 0


class ProgramStatus(msgspec.Struct, frozen=True, array_like=True):
    """OSC 7501, the Program Status Protocol: what the program says of itself. `at` is unix time."""

    state: str = ""
    """idle, working, blocked, done, error or empty when it never reported."""
    kind: str = ""
    """permission, question or auth when blocked."""
    message: str = ""
    title: str = ""
    at: float = 0.0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session as every client sees it. Times are unix seconds."""

    id: str
    """8 hex digits, ours."""
    name: str
    provider: str
    cwd: str
    argv: tuple[str, ...]
    pid: int
    """The program in the PTY; 0 before it runs."""
    holder_pid: int = 0
    state: str = "unknown"
    """One of `STATES`."""
    why: str = ""
    """The evidence for `state`, in a few words."""
    since: float = 0.0
    """When it entered `state`."""
    asks: str = ""
    """What it needs the person for when it does: approval, question, login or setup."""
    until: float | None = None
    """When the limit is lifted that it is under, where that is known."""
    started: float = 0.0
    ended: float | None = None
    exit_status: int | None = None
    """Shell convention: 0-255, or 128 + the signal that ended it. None while it runs or when nobody saw the end."""
    problem: str = ""
    """Why it did not start, or what is wrong with it now; one sentence, empty when all is well."""
    title: str = ""
    """What the program set as its window title, sanitised."""
    progress: Progress = Progress()
    status: ProgramStatus = ProgramStatus()
    resume_id: str = ""
    """The provider's own session id, when known: `restart` resumes it."""
    marked: bool = False
    muted: bool = False
    """Nobody is notified of it."""
    bells: int = 0
    """Bells since somebody last looked."""
    cols: int = 80
    rows: int = 24
    last_output: float = 0.0
    idle_stop: float | None = None
    """When the idle limit will stop it; set only inside the warning time."""


STATES: Final = ("starting", "working", "needs_you", "done", "idle", "limited", "exited", "error", "unknown")


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """What the process tree of one session burns."""

    cpu: float = 0.0
    """Percent of one core; over 100 on several."""
    rss: int = 0
    """Bytes, the sum over the tree."""
    threads: int = 0
    fds: int = 0
    processes: int = 0
    busiest: str = ""
    """The name of the child with the most CPU, empty when all rest."""
    busiest_cpu: float = 0.0


class HostUsage(msgspec.Struct, frozen=True, array_like=True):
    cpu: float = 0.0
    """Percent of the whole machine."""
    memory_used: int = 0
    memory_total: int = 0
    load: float = 0.0


# ── requests ───────────────────────────────────────────────────────────────────────────────────


class Hello(Request, tag="hello"):
    version: int = VERSION
    client: str = "cli"


class Status(Request, tag="status"):
    """Ask for `HubStatus`."""


class List(Request, tag="list"):
    """Ask for `Sessions`."""


class Spawn(Request, tag="spawn"):
    """Start a session. `argv` non-empty replaces the provider's own command line."""

    provider: str
    cwd: str
    env: dict[str, str]
    """The client's environment, cleaned by the hub before the child gets it."""
    name: str = ""
    prompt: str = ""
    args: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    resume: str = ""
    """The provider's own id of a conversation to go on with, instead of a new one."""
    cols: int = 80
    rows: int = 24


class Restart(Request, tag="restart"):
    """Start an ended session again, by the provider's own session id if known; a running one is stopped first."""

    session: str
    env: dict[str, str]


class Rename(Request, tag="rename"):
    session: str
    name: str


class Mark(Request, tag="mark"):
    session: str
    on: bool


class Seen(Request, tag="seen"):
    """Somebody looked: `done` becomes `idle`, the bells are read."""

    session: str


class Forget(Request, tag="forget"):
    """Drop an ended session from the list."""

    session: str


class Stop(Request, tag="stop"):
    """End the whole process tree: TERM, 5 s, KILL. The reply comes when it is over."""

    session: str
    grace: float = 5.0


class Input(Request, tag="input"):
    """Bytes for the PTY, exactly as they are. Not acknowledged when `id` is 0."""

    session: str
    data: bytes


class SendText(Request, tag="text"):
    """A prompt: bracketed paste where the program asked for it, 150 ms, then Enter: the one way that all CLIs hear."""

    session: str
    text: str
    enter: bool = True


class SendKeys(Request, tag="keys"):
    """Named keys, encoded for the modes that the program is in. Raises BadKeyError."""

    session: str
    keys: tuple[str, ...]


class Mouse(Request, tag="mouse"):
    """A mouse event for a program that asked for the mouse. Cells are 0-based; `button` as in SGR reports."""

    session: str
    button: int
    x: int
    y: int
    press: bool


class Focus(Request, tag="focus"):
    """The pane of this session got or lost the focus; forwarded if the program asked for focus events."""

    session: str
    on: bool


class Interrupt(Request, tag="interrupt"):
    """End the turn with the byte that this provider wants (never a signal)."""

    session: str


class Signal(Request, tag="signal"):
    """A real SIGINT to the PTY's foreground group; it ends most CLIs."""

    session: str


class AllowClipboard(Request, tag="allow_clipboard"):
    """The person's answer to `ClipboardAsked`; kept for the session."""

    session: str
    on: bool


class Watch(Request, tag="watch"):
    """Push `Sessions` now and every change after it. `resources` also pushes `Resources` once a second."""

    resources: bool = True


class View(Request, tag="view"):
    """Push the frames of one screen. `priority`: focus (60/s), visible (15/s), hidden (none, the default).

    `cols` and `rows` above 0 resize the PTY. The first frame after becoming visible is full.
    """

    session: str
    priority: str = "focus"
    cols: int = 0
    rows: int = 0


class ReadScreen(Request, tag="read_screen"):
    """Ask for the whole screen once, as a full `Frame`."""

    session: str


class ReadHistory(Request, tag="read_history"):
    """Ask for `History`: `count` rows from `start`, where 0 is the oldest row that is kept."""

    session: str
    start: int
    count: int


class Shutdown(Request, tag="shutdown"):
    """End the hub. Sessions go on in their holders."""


CoreRequest = (
    Hello | Status | List | Spawn | Restart | Rename | Mark | Seen | Forget | Stop | Input | SendText | SendKeys
    | Mouse | Focus | Interrupt | Signal | AllowClipboard | Watch | View | ReadScreen | ReadHistory | Shutdown
)  # fmt: skip
"""What the hub itself answers."""

DeskRequest = (
    f.WatchFacts | f.FollowFeed | f.ReadFeed | f.ReadCall | f.ReadMessage | f.ReadConversation | f.ReadUsage
    | o.ListAgents | o.Attach | o.Detach | o.LookAt | o.Adopt
    | a.ListApprovals | a.WatchApprovals | a.Decide | a.ReadRules
    | q.Enqueue | q.ReadQueue | q.EditQueued | q.MoveQueued | q.CancelQueued | q.SendQueued | q.PauseQueued
    | q.AskInterrupt
    | q.GuardedInterrupt | i.WatchInsight | i.ReadInsight | i.ReadAway
    | w.Explain | w.MakeReport | w.Looking | w.Mute
    | se.SearchRequests
    | s.ShareRequests
)  # fmt: skip
"""What its desks answer (hub/desk.py), each its own."""

AnyRequest = CoreRequest | DeskRequest


# ── replies and pushes ─────────────────────────────────────────────────────────────────────────


class Done(Reply, tag="done"):
    """It happened. `note` is a sentence for the person when there is something to say."""

    session: str = ""
    note: str = ""
    left_running: tuple[str, ...] = ()
    """After a stop: daemons that were spared, as `name (pid)`."""


class Failed(Reply, tag="failed"):
    """It did not happen, and nothing changed. `error` is the class name in `errors.py`."""

    error: str
    text: str
    hint: str = ""
    exit_code: int = 1


class Welcome(Reply, tag="welcome"):
    version: int
    pid: int
    """The hub's."""


class HubStatus(Reply, tag="hub_status"):
    pid: int
    version: int
    started: float
    sessions: int
    clients: int
    problems: tuple[str, ...] = ()


class Sessions(Reply, tag="sessions"):
    """All sessions, oldest first. Clients that watch get it once, then `Changed` and `Gone`."""

    sessions: tuple[Session, ...]


class Changed(Reply, tag="changed"):
    session: Session


class Gone(Reply, tag="gone"):
    session: str


class Resources(Reply, tag="resources"):
    host: HostUsage
    sessions: dict[str, Usage]


class Notice(Reply, tag="notice"):
    """A sentence for the person. `level`: info, warning or error."""

    text: str
    level: str = "info"
    session: str = ""


class ClipboardAsked(Reply, tag="clipboard_asked"):
    """The program wants to set the clipboard (OSC 52) and nobody has been asked yet in this session."""

    session: str
    size: int


class Copied(Reply, tag="copied"):
    """The program set the clipboard, with permission."""

    session: str
    text: str


class Bell(Reply, tag="bell"):
    session: str


class Screen(Reply, tag="screen"):
    """A `Frame`, pushed (id 0) or asked for."""

    frame: Frame


class History(Reply, tag="history"):
    start: int
    total: int
    rows: tuple[Row, ...]


AnyReply = (
    Done | Failed | Welcome | HubStatus | Sessions | Changed | Gone | Resources | Notice | ClipboardAsked | Copied
    | Bell | Screen | History | f.FactsChanged | f.FactsGone | f.FeedLines | f.CallDetail | f.Conversation | f.UsageTold
    | f.Spent
    | i.InsightChanged | i.InsightTold | i.AwayTold
    | o.Agents | o.Attached
    | a.Approvals | a.ApprovalAsked | a.ApprovalGone | a.Rules
    | q.Queues | q.InterruptTold
    | w.Explained | w.Report | w.Alert
    | se.SearchReplies
    | s.ShareReplies
)  # fmt: skip
