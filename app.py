"""Entry of the application: page settings and navigation, nothing else."""

from pages._ui import shell

shell.start()
