"""What a run says of itself: one self-contained page."""

from superalign.report.run_report import write_report

__all__ = ["write_report"]
