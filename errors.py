"""What can go wrong for a user: one clear sentence each, naming the thing and the mend."""

from __future__ import annotations

from importlib.util import find_spec


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


class ModelError(MathV360KError):
    """A model cannot be loaded, or is not of the kind that is needed."""


class TeacherError(MathV360KError):
    """A teacher cannot be asked: a wrong key, no credit, a server that does not work."""


class OutputError(MathV360KError):
    """A file of model outputs or a benchmark's annotations cannot be used."""


class TrainingError(MathV360KError):
    """Training cannot go on: a loss that is no number, a full disk."""


class HubError(MathV360KError):
    """The Hub does not do what it is asked: no such repository, no right to it, no connection."""


def require_extra(extra: str, *modules: str) -> None:
    """Raise `UsageError` where a module that an extra brings is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"This needs {missing[0]}; install it with: pip install 'mathv360k[{extra}]'."
        )
