"""One thin script a page: guard, choose, fetch, draw, say what it means."""
