"""The rules of the extension's SQL, for script/check-sql."""
