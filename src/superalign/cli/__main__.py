"""``python -m superalign.cli``."""

from superalign.cli import main

main()
