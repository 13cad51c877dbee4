"""From a table and the settings to the schema."""
