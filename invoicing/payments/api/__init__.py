"""`payments` over HTTP, and what Stripe tells."""
