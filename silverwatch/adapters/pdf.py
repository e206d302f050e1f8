"""A page as PDF. The only importer of WeasyPrint, which needs the pango library of the system."""

from typing import Final

MISSING: Final = (
    "This machine has no pango library, which draws PDF files. Install libpango-1.0-0 and libpangoft2-1.0-0."
)


class PdfMissingError(Exception):
    """PDF files cannot be drawn on this machine."""


def render(markup: str, style: str) -> bytes:
    """The PDF of a page. It fetches nothing: what it shows is in the markup. Raises PdfMissingError without pango."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        raise PdfMissingError(MISSING) from error
    # Whoever wrote what is in the page: nothing that it names is asked for.
    nothing = URLFetcher(allowed_protocols=())
    return bytes(HTML(string=markup, url_fetcher=nothing).write_pdf(stylesheets=[CSS(string=style)]))
