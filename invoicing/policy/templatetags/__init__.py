"""What templates of other rooms show of trigger policies."""
