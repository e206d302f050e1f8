"""The web application: the only file that knows everybody."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import api
from silverwatch import db, flow, keys, schema
from silverwatch.adapters.job_queue import JobQueue
from silverwatch.adapters.redis_bus import Bus
from silverwatch.blueprints import admin, auth, caregiver, health, patient, sockets, technician
from silverwatch.config import Config
from silverwatch.domain import audit
from silverwatch.domain.models import metadata
from silverwatch.live.hub import Hub
from silverwatch.web import auditing, errors, forgery, gates, headers, login, outgoing
from silverwatch.web.incoming import Incoming


class SilverWatch(Flask):
    """Flask, which need not look ten times a request whether a view is a coroutine: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


class Database:
    """What Flask-Migrate asks of a database: an engine and the tables."""

    metadata = metadata

    @property
    def engine(self) -> Any:
        """This process's engine."""
        return db.engine()


def create_app(config: Config | None = None) -> Flask:
    """Build the application; raises ConfigError when the environment lacks a setting."""
    config = config or Config.from_env()
    app = SilverWatch("silverwatch", static_url_path="/static")
    app.request_class = Incoming
    _settings(app, config)
    db.configure(config.database_url, pool_size=config.pool_size)
    ringer = flow.Ringer(bus=Bus(config.redis_url), queue=JobQueue(config.redis_url))
    db.on_commit(ringer)
    app.extensions["silverwatch"] = ringer
    app.extensions["config"] = config
    app.extensions["hub"] = Hub(Bus(config.redis_url), limit=config.socket_limit, watches=True)
    audit.configure(keys.of_audit(config))
    outgoing.configure(config)
    login.init_app(app)
    auditing.init_app(app)
    csrf = forgery.init_app(app)
    gates.init_app(app)
    headers.init_app(app, secure=config.secure_cookies)
    errors.init_app(app)
    _migrations(app)
    gates.public(app.view_functions["static"])
    for module in (auth, caregiver, technician, patient, admin, sockets, health):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(api.bp)
    csrf.exempt(api.bp)
    api.ingest.on_stored = ringer.readings_stored
    _without_deflate(app)
    if config.trusted_proxies:
        # Only so many hops are believed: what a client writes into the header itself stays outside.
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=1, x_host=0)  # type: ignore[method-assign]
    return app


def _settings(app: Flask, config: Config) -> None:
    app.config.update(
        SECRET_KEY=config.secret_key,
        SECRET_KEY_FALLBACKS=list(config.secret_key_fallbacks),
        SESSION_COOKIE_NAME="__Host-sw" if config.secure_cookies else "sw",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        MAX_CONTENT_LENGTH=6 * 1024 * 1024,
        # The token lives as long as the session: a ward board stays open for a whole shift.
        WTF_CSRF_TIME_LIMIT=None,
        # Our Referrer-Policy sends none; the token is what counts.
        WTF_CSRF_SSL_STRICT=False,
        SOCK_SERVER_OPTIONS={"ping_interval": 25, "max_message_size": 65536},
    )


def _migrations(app: Flask) -> None:
    """`flask db ..` for who likes it; a web process does not need the half second that its import takes."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        from flask_migrate import Migrate

        Migrate(app, cast(Any, Database()), directory=str(schema.MIGRATIONS))


def _without_deflate(app: Flask) -> None:
    """Compression costs three times the memory a socket and saves nothing on frames that are sent once."""
    inner = app.wsgi_app

    def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return inner(environ, start_response)

    app.wsgi_app = wsgi  # type: ignore[method-assign]
