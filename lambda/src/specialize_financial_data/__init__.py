"""Stage 5: every new SoT object becomes a Spec object, stocks and funds alike."""
