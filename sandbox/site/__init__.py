"""A sample of the Fundamentus site: the site's layout, but our own markup and invented values."""

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
