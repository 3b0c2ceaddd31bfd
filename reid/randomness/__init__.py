"""Random draws that depend on their purpose alone, never on what was drawn before."""
