"""TabNet itself (Arik & Pfister 2021): sparse maps, ghost batch norm, transformers, encoder."""
