"""Writes the lake's data as a page or for a spreadsheet: ``python -m report``, in a checkout."""
