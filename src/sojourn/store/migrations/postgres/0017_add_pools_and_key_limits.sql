-- The pool whose workers claim an external agent's turns; NULL, also of versions made before this, is the default one.
ALTER TABLE agent_versions ADD COLUMN pool text;

-- Which turns a worker with this key may claim, as JSON; most keys have no limits. What read sessions and reported
-- presences under the role worker has the role reporter now: a worker sees the turns that it claimed.
ALTER TABLE keys ADD COLUMN limits text;

ALTER TABLE keys DROP CONSTRAINT keys_role_check;

ALTER TABLE keys ADD CONSTRAINT keys_role_check CHECK (role IN ('admin', 'member', 'reporter', 'worker'));

UPDATE keys SET role = 'reporter' WHERE role = 'worker';
