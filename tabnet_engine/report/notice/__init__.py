"""The plain letter to the person: its template, its words, how hard it is to read."""
