"""Other systems' forms of an event, made into the one envelope; what is wrong with it is left for capture to find."""
