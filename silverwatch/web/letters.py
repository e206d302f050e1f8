"""Letters from templates: plain text, in the reader's language, with links that begin with our own address."""

from datetime import datetime
from functools import cache

from flask import current_app, has_app_context
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from silverwatch.domain.mail import service
from silverwatch.web import filters
from silverwatch.web.templating import ROOT
from silverwatch.web.words import words


def letter(name: str, /, *, language: str = "en", **data: object) -> tuple[str, str]:
    """Subject and body of `templates/mail/<name>.txt`: its first line, and what follows the blank line after it.

    Texts in `data` are put on one line each, so that nobody's name can write a letter of its own.
    """
    env = _environment(language)
    values = {
        key: service.one_line(value) if isinstance(value, str) else value for key, value in data.items()
    }
    subject, _, body = env.get_template(f"mail/{name}.txt").render(values).strip().partition("\n")
    footer = env.get_template("mail/_footer.txt").render().strip()
    return subject.strip(), f"{body.strip()}\n\n{footer}\n"


def plain(name: str, /, *, language: str, **data: object) -> tuple[str, str]:
    """Subject and body of `templates/mail/<name>.txt` without the footer, for what is no letter. Needs no request."""
    subject, _, body = (
        _environment(language).get_template(f"mail/{name}.txt").render(data).strip().partition("\n")
    )
    return service.one_line(subject), body.strip()


_base_url: list[str] = [""]
_letter = letter  # `tell` has a parameter of this name


def tell(session: Session, *, to: str, letter: str, now: datetime, **data: object) -> None:
    """Write the letter of this name to `to` in the caller's transaction.

    `data` is what its template names; `language`, if it is there, is the reader's.
    """
    language = str(data.pop("language", "en"))
    subject, body = _letter(letter, language=language, **data)
    service.write(session, to=to, subject=subject, body=body, now=now)


def link(path: str) -> str:
    """A whole address of this site. It begins with the setting BASE_URL: a Host header is a stranger's word."""
    base_url = current_app.extensions["config"].base_url if has_app_context() else _base_url[0]
    return f"{base_url}{path}"


def configure(base_url: str) -> None:
    """How people reach the site, for jobs, which run outside the application."""
    _base_url[:] = [base_url]


@cache
def _environment(language: str) -> Environment:
    # No autoescape: this is plain text, "O'Neil & Sons" shall not become entities.
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    own = words(language)
    env.install_gettext_translations(own.gettext, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(filters.of(own.said))
    env.globals.update(link=link, time_zone=filters.time_zone, said=own.said)
    return env
