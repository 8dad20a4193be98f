"""What an autoencoder's reconstruction rests on: for pretraining runs and for any autoencoder written in torch."""
