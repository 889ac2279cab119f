"""The emulator listens on the configured port only.

MiniStack also serves TLS on port 443 if it can. Remove this module when MiniStack has a setting that turns
port 443 off.
"""

from __future__ import annotations

from ministack import app


def apply() -> None:
    """Do not use port 443."""
    app._port_is_bindable = lambda host, port: False  # noqa: ARG005 - as it is called
