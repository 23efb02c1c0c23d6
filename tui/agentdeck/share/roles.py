"""Who may do what: owner over driver over commenter over observer."""

from agentdeck.protocol.viewers import BY_NAME, ROLES


def rank(role: str) -> int:
    """A role that nobody knows ranks below all."""
    return ROLES.index(role) if role in ROLES else -1


def may(role: str, kind: str, *, hands: bool = False) -> bool:
    """Whether somebody may send messages of this kind. What is not in the table nobody may."""
    found = BY_NAME.get(kind)
    if found is None or found.client is None or rank(role) < 0:
        return False
    return rank(role) >= rank(found.role) and (not found.hands or hands or role == "owner")
