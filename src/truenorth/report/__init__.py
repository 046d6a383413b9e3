"""The report: one HTML page that opens anywhere, without a network."""

from truenorth.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]
