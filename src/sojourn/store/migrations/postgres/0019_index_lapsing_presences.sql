-- The moment of the last beat is in no index: a beat would pay for it.
CREATE INDEX leases_lapsing ON leases (org, session) WHERE kind = 'presence' AND ttl_seconds IS NOT NULL;
