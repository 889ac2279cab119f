"""The local run: one whole day of the lake on an AWS emulator, with a sample of the Fundamentus site."""


class SandboxError(Exception):
    """The command prints this error's message without a traceback, and ends."""
