"""The HTTP door of payees, gates, payables and payout batches."""
