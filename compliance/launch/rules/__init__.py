"""What the launch checklist asks and when a proof is too old: plain values."""
