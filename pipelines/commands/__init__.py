"""Commands that are no stages of dvc.yaml."""
