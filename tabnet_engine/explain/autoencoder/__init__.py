"""What a reconstruction rests on: importances, Shapley values and latents of any torch autoencoder."""
