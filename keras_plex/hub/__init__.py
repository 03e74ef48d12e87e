"""KerasHub tasks that KerasHub lacks, in its own style."""
