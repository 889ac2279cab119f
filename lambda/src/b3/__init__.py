"""Code that `fundamentus_site` and `pynvest_lake` share: Brazilian formats, kinds, and rules for run days."""
