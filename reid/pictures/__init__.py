"""Pictures to look at: contact sheets, rank lists, maps of features."""
