"""Brazilian formats, asset kinds and run days: code that `fundamentus_site` and `pynvest_lake` share."""
