"""Code that `fundamentus_site` and `pynvest_lake` share, for Brazilian formats, asset kinds and run days."""
