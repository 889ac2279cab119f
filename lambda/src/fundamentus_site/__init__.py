"""The Fundamentus site: a client, and readers of its listings and asset pages. Does not use AWS.

Only ``site``, which stages 2 and 3 import, needs pynvest and pandas. The other modules need only certifi and
lxml.
"""
