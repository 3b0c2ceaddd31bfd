"""Person re-identification: data sets, networks, distances, ranking. Usable without the rest of the project."""
