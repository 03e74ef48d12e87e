"""Evidence in files, so that an evaluation that was killed goes on."""
