"""What the bridge tells its caller when it cannot go on."""


class BridgeError(Exception):
    """One line that says what is wrong and what to do, fit to be shown to the person who gave the command."""
