"""On your own machine, ``python -m collector`` in a checkout collects a day's pages from the site."""

from __future__ import annotations

import sys
from pathlib import Path

# The code shared with the Lambda functions is in lambda/src.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda" / "src"))
