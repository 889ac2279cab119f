"""Brings the site's pages of a day from a machine of your own: ``python -m collector``, in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

# What it shares with the functions lies where their packages are built from.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda" / "src"))
