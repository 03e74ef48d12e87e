"""The command line: `keras-plex`."""
