"""Run folders and the workspace that holds them."""
