"""The one exception whose message is written for the user."""


class UserError(ValueError):
    """Something the user can fix. The message says where, what was found and what to do, in one line."""
