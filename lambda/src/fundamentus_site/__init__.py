"""A client for the Fundamentus site, with readers for listings and asset pages. The package uses no AWS.

The package needs certifi and lxml. The module ``site``, which stages 2 and 3 import, also needs pynvest and
pandas.
"""
