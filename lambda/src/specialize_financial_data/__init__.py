"""Stage 5 writes a Spec object for each new SoT object of stocks or of funds."""
