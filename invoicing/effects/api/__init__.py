"""Effects of proposed changes, and moves of many subscriptions, over HTTP."""
