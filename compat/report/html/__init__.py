"""The report as one HTML page: self-contained, safe whatever values hold, and of bounded size."""

from compat.report.html.page import page

__all__ = ["page"]
