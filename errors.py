"""What can go wrong for a user: one clear sentence each, naming the thing and the mend."""

from __future__ import annotations


class MathV360KError(Exception):
    """Something failed; the message is one sentence for people. Exit code 1."""

    exit_code = 1


class UsageError(MathV360KError):
    """The call itself is wrong: an unknown name, an impossible option. Exit code 2."""

    exit_code = 2


class SourceError(MathV360KError):
    """A source dataset or a released file is missing or malformed as a whole."""


class FolderError(MathV360KError):
    """A folder is not what a step needs, or must not be touched."""
