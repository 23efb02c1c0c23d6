"""`agentdeck hub`: the process behind the deck. Ending it ends no session."""

import argparse
import time

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "Sessions go on without a hub; the next command starts one that finds them again.\n"
    parser = add(subparsers, "hub", run, more=more)
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    for verb, what in (
        ("status", "its pid, since when, how many sessions and clients, what is wrong"),
        ("stop", "end it; sessions go on"),
        ("restart", "end it and start a fresh one, which finds the sessions again"),
    ):
        one = verbs.add_parser(verb, help=what, description=f"{what[0].upper()}{what[1:]}.")
        one.add_argument("--json", action="store_true", help="answer with JSON")


def run(arguments: argparse.Namespace) -> int:
    match arguments.verb:
        case "status":
            _status(as_json=arguments.json, start=False)
        case "stop":
            _stop(as_json=arguments.json)
        case "restart":
            from agentdeck.cli.hub_process import end
            from agentdeck.paths import locate

            end(locate())
            _status(as_json=arguments.json, start=True)
    return 0


def _status(*, as_json: bool, start: bool) -> None:
    from agentdeck.cli.output import ago, emit, print_line
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m

    async def ask(client: HubClient) -> m.HubStatus:
        return await client.ask(m.Status(), m.HubStatus)

    status = with_hub(ask, start=start)
    if as_json:
        emit(
            {
                "pid": status.pid,
                "protocol": status.version,
                "started": status.started,
                "sessions": status.sessions,
                "clients": status.clients - 1,
                "problems": status.problems,
            }
        )
        return
    sessions = "1 session" if status.sessions == 1 else f"{status.sessions} sessions"
    others = status.clients - 1
    clients = "1 client" if others == 1 else f"{others} clients"
    print(f"hub {status.pid}: up {ago(time.time() - status.started)}, {sessions} running, {clients}")
    for problem in status.problems:
        print_line(f"  {problem}")


def _stop(*, as_json: bool) -> None:
    from agentdeck.cli.hub_process import end
    from agentdeck.cli.output import emit
    from agentdeck.paths import locate

    pid = end(locate())
    if as_json:
        emit({"stopped": pid})
    elif pid is None:
        print("no hub is running")
    else:
        print(f"hub {pid} has ended; its sessions go on")
