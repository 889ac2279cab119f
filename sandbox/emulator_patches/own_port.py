"""The emulator listens on the one port that it was given.

MiniStack serves TLS on port 443 as well where it may. No longer needed once a setting tells it not to.
"""

from __future__ import annotations

from ministack import app


def apply() -> None:
    """Leave port 443 alone."""
    app._port_is_bindable = lambda host, port: False  # noqa: ARG005 - as it is called
