"""Settings of the site: security."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
