"""Why a question resolves as it does, for people."""
