"""Wall screens: making, pairing, revoking."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
