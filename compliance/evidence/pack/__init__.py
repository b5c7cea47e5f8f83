"""Evidence packs: what they hold, how they are written, sealed and kept."""
