"""Collects a day's pages from the site on your own machine; run ``python -m collector`` in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

# lambda/src holds the code that the collector shares with the Lambda functions.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda" / "src"))
