"""Collects a day's pages from the site on your own machine, with ``python -m collector`` in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

# The code shared with the Lambda functions is in lambda/src.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda" / "src"))
