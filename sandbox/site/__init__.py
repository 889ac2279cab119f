"""A sample of the Fundamentus site: our own markup in the site's layout, with the same values on each run."""

from sandbox.site.asset import Cell, SampleAsset
from sandbox.site.assets import FUND_VARIETIES, STOCK_VARIETIES, make_assets
from sandbox.site.names import GHOSTS
from sandbox.site.server import Fault, Request, SiteServer

__all__ = [
    "FUND_VARIETIES",
    "GHOSTS",
    "STOCK_VARIETIES",
    "Cell",
    "Fault",
    "Request",
    "SampleAsset",
    "SiteServer",
    "make_assets",
]
