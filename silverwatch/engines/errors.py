"""What goes wrong with an engine, said in one line."""


class EngineError(Exception):
    """An engine cannot be started or kept; the message is one line that says what to do."""
