"""`python -m keras_plex` is the command `keras-plex`."""

from keras_plex.cli.main import main

raise SystemExit(main())
