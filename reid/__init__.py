"""Person re-identification: data sets, networks, distances, ranking. Usable without the rest of the project."""

__version__ = "0.1.0"  # of the three packages: pyproject.toml takes it from here
