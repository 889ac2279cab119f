"""Stage 3: reads the pages of a batch of tickers into one SoR object."""
