"""The one exception that a user is meant to read."""


class MimicError(Exception):
    """Something that the user can mend, said in one sentence.

    The message names the file, key or value at fault and what would be right. The command line
    prints it alone, without a traceback, and exits with status 2.
    """
