"""``python -m superalign``."""

from superalign.cli import main

main()
