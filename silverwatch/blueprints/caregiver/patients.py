"""The page of one patient."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
