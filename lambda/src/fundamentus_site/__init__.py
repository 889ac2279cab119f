"""The Fundamentus site: its session, its pages, and its papers as pynvest reads them. Knows nothing of AWS.

``session``, ``pages``, ``papers``, ``kinds`` and ``errors`` need certifi and lxml alone; only ``site`` needs
pynvest.
"""
