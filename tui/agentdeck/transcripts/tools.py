"""What kind of thing a tool call is, whatever each CLI names its tools."""

from typing import Final

_CATEGORIES: Final = {
    "file_read": "Read NotebookRead LS read_file read_many_files list_directory view_image ls",
    "file_write": "Edit Write MultiEdit NotebookEdit apply_patch replace write_file edit_file create_file",
    "command": "Bash BashOutput KillShell KillBash shell exec exec_command write_stdin local_shell run_shell_command",
    "search": "Grep Glob ToolSearch grep glob search_file_content codebase_search tool_search",
    "web": "WebFetch WebSearch web_search web_fetch google_web_search",
    "agent": "Agent Task SendMessage TaskOutput TaskStop spawn_agent wait_agent",
    "plan": "TodoWrite TaskCreate TaskUpdate TaskList TaskGet update_plan ExitPlanMode EnterPlanMode write_todos",
    "ask": "AskUserQuestion request_user_input ask_user",
}

_CATEGORY: Final = {tool: category for category, tools in _CATEGORIES.items() for tool in tools.split()}


def category(tool: str) -> str:
    """Return file_read, file_write, command, search, web, agent, plan, ask, mcp or other."""
    if tool.startswith(("mcp__", "mcp_")):
        return "mcp"
    return _CATEGORY.get(tool, "other")
