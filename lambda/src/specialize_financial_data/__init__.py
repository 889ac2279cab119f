"""Stage 5: writes a Spec object for each new SoT object, for stocks and funds."""
