"""The report: one HTML page that opens anywhere, without a network."""

from truenorth.report.page import report_html, write_report
from truenorth.report.parts import PARTS, chosen_parts

__all__ = ["PARTS", "chosen_parts", "report_html", "write_report"]
