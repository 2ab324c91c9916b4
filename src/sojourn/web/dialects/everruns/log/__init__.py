"""Our log as Everruns tells it: other events, with ids and sequences of their own, made of ours and of nothing else."""
