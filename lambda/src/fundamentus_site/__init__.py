"""A client for the Fundamentus site, with readers for listings and asset pages. The package uses no AWS.

Only the module ``site``, which stages 2 and 3 import, needs pynvest and pandas. The other modules need only
certifi and lxml.
"""
