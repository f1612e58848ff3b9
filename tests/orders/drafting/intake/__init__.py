"""Reading what people paste and upload."""
