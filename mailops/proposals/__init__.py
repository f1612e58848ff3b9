"""Changes that a second person approves before they are applied, exactly as proposed."""
