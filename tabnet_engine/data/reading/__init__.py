"""Reading user files: detection, one reader a format, typing of columns, isolation."""
