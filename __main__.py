"""`python -m mathv360k` is the `mathv360k` command."""

from .cli import main

main()
