"""The WSGI entry point: `gunicorn -c python:silverwatch.serving wsgi:app`."""

from silverwatch.app import create_app

app = create_app()
