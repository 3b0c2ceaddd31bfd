"""Random draws that depend on what they are for, and never on what happened before."""
