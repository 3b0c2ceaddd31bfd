"""The pipeline: the only package that knows click, params.yaml and where things lie."""
