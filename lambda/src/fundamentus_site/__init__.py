"""The Fundamentus site: its session, its pages, and its papers, read. Knows nothing of AWS.

Only ``site``, which stages 2 and 3 import, needs pynvest and pandas; all else needs certifi and lxml alone.
"""
