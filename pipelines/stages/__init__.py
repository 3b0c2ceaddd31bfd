"""The stages of dvc.yaml, one module each; `pipelines.__main__` calls them with their sections of params.yaml."""
