"""The entry of the `mathv360k` command, also as `python -m mathv360k`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it with a sentence from the first moment on."""
    try:
        from .cli import run  # half a second of imports

        run()
    except KeyboardInterrupt:
        # CPython remembers a Ctrl-C that struck inside an exec() of some import and would die of
        # it after all; another exec() makes it forget.
        exec("")
        sys.exit(
            "error: Interrupted; what was there before is unchanged, run the same command again."
        )


if __name__ == "__main__":
    main()
