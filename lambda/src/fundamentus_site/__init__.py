"""The Fundamentus site: its client, its pages, and its assets, read. Knows nothing of AWS.

Only ``site``, which stages 2 and 3 import, needs pynvest and pandas; all else needs certifi and lxml alone.
"""
