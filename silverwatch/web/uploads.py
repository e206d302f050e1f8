"""A table that comes as a file, or pasted into a field: one way for every page that takes one."""

from flask import request

from silverwatch.domain import tables


def sent_table() -> tuple[str, str]:
    """The text of the field `file`, or else of `text`, and what to do about it."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return tables.text_of(file.stream.read(tables.MAX_BYTES + 1))
    return tables.text_of(request.form.get("text", "").encode(errors="replace"))
