"""The local run: one whole day of the lake on an AWS emulator, with a sample of the Fundamentus site."""


class SandboxError(Exception):
    """An error that ends a command with only its message."""
