"""Images: what a board's bitstream holds around the chip, one file a kind."""
