"""How the score moves with a column: importance by permutation, effect curves, interactions, slices."""
