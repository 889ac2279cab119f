"""Writes what the lake holds as a page or for a spreadsheet: ``python -m report``, in a checkout."""
