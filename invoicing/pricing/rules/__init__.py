"""What a price may say and how time is cut between prices: plain values in, plain values out."""
