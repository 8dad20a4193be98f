"""The maker of the fixtures needs pytorch-tabnet and is no test."""

collect_ignore = ["make_fixtures.py"]
