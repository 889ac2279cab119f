"""What the six stages of the lake share: its data contract, its objects, its catalog and the site."""
