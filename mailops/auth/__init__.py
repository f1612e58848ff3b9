"""Sign-in, lockout, second factor, sessions and roles."""
