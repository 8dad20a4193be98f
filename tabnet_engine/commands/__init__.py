"""What each command of ``python -m tabnet_engine`` does, one file for each group of commands."""
