"""The conversation that every real CLI has in the tests: a question, a tool that asks, and an answer without end."""

from tests.e2e.clis import RealCli
from tests.fakes.script import Rule, Say, UseTool

QUESTION = "how many trees stand in the orchard"
ANSWER = "Seventeen trees stand in the orchard."
TOOL_PROMPT = "please make the file"
TOOL_DONE = "The file is made."
LONG_PROMPT = "count slowly"
LONG_BEGINS = "One tree"


def rules(cli: RealCli) -> list[Rule]:
    return [
        Rule("how many trees", ((Say(ANSWER),),)),
        Rule("make the file", ((UseTool(cli.tool, cli.tool_input),), (Say(TOOL_DONE),))),
        Rule("count slowly", ((Say(LONG_BEGINS + ", and another tree" * 400, pace=0.15),),)),
    ]
