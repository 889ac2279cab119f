"""Code that the six stages of the lake share: data contract, objects, catalog and messages."""
