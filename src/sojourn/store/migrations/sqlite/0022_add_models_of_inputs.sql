-- An input may name the model of the turn that it starts.
ALTER TABLE inputs ADD COLUMN model TEXT;
ALTER TABLE turns ADD COLUMN model TEXT;
