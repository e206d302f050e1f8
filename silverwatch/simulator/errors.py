"""What the simulator tells its caller when it cannot go on."""


class SimulatorError(Exception):
    """One line that says what is wrong, fit to be shown to the person who gave the command."""
