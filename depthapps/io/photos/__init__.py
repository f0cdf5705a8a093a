"""Pictures and what their files hold beside them: metadata, a second view, depth."""
