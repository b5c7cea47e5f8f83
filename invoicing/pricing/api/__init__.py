"""Plans, prices, tax rates and subscriptions over HTTP."""
