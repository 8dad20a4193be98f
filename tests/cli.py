"""Settings that make a training of the command line short; shared by its tests."""

SMALL = ["--set", "max_epochs=2", "--set", "n_shap_rows=6", "--set", "n_background=8", "--set", "n_steps=2"]
SMALL += ["--set", "n_importance_rows=40", "--set", "n_effect_columns=0"]
