"""Workers claim turns and run them: embedded in the server, beside Postgres, or over HTTP."""
