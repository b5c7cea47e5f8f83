"""How exposures are put together and looked ahead: plain values in, plain values out."""
