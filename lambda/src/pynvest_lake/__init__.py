"""What the six stages of the lake share: its data contract, objects, catalog and messages."""
