"""Writes the lake's data as a page or for a spreadsheet; run ``python -m report`` in a checkout."""
