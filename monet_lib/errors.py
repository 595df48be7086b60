"""The one exception whose message is written for the user, and how its words count."""


class UserError(ValueError):
    """Something the user can fix. The message says where, what was found and what to do, in one line."""


def counted(number: int, noun: str) -> str:
    """`1 problem`, `2 problems`: a number and what it counts, a word that takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
