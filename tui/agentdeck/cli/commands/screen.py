"""`agentdeck screen`: what is on a session's screen, as text, as terminal sequences or as cells."""

import argparse
import sys
from typing import Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit

MORE: Final = """\
--json prints id, cols, rows, cursor (x, y from 0, visible), alternate (whether it is the alternate screen), history
(rows above the screen) and lines, a list of texts without the blanks at their ends.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "screen", run, session=True, json=True, more=MORE)
    parser.add_argument("--ansi", action="store_true", help="with colours and attributes")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol.screen import Frame

    async def read(client: HubClient) -> Frame:
        session = await client.resolve(arguments.session)
        return (await client.ask(m.ReadScreen(session=session.id), m.Screen)).frame

    frame = with_hub(read)
    rows = [row for _, row in sorted(frame.rows, key=lambda numbered: numbered[0])]
    if arguments.json:
        lines = [row.text.rstrip() for row in rows]
        cursor = {"x": frame.cursor.x, "y": frame.cursor.y, "visible": frame.cursor.visible}
        emit(
            {
                "id": frame.session,
                "cols": frame.cols,
                "rows": frame.height,
                "cursor": cursor,
                "alternate": frame.modes.alternate,
                "history": frame.history,
                "lines": lines,
            }
        )
    elif arguments.ansi:
        from agentdeck.terminal import vt

        sys.stdout.flush()
        sys.stdout.buffer.write(b"\n".join(vt.row(row) for row in rows).rstrip(b"\n") + b"\n")
        sys.stdout.buffer.flush()
    else:
        print("\n".join(row.text.rstrip() for row in rows).rstrip("\n"))
    return 0
