"""Pictures to look at: contact sheets, rank lists, features in two dimensions."""
