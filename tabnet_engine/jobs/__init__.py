"""Long work in its own process: specification, queue, worker, launchers."""
