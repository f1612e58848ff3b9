"""From typed lines, files and wishes to a saved draft."""
