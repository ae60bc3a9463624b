"""Reports as HTML pages: self-contained, safe whatever values hold, and of bounded size."""

from compat.report.html.page import page
from compat.report.html.ports import ports_page

__all__ = ["page", "ports_page"]
