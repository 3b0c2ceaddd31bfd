"""What bad input raises."""


class InputError(ValueError):
    """Input that cannot be worked with; the message says what was expected, what came, and what to do next."""
