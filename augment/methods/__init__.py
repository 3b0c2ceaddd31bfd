"""Systems that generate images of people, one folder each."""
